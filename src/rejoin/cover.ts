import { observeSlave, usableDat } from '../pipeline/observe.js';
import type { Window } from '../pipeline/window.js';
import { readDatOf } from '../standby/dat-file.js';
import { readCovered } from '../standby/index-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { coverMore } from '../takeover/promotion-index.js';

/** A server scans less than this without a noticeable delay. Nothing waits for a rejoin, so nothing is too large. */
const LIMITS = { from: 64 << 20, upTo: Number.POSITIVE_INFINITY, indexBytes: Number.POSITIVE_INFINITY };

/** Builds the index of a slave that was cut back, if the rounds behind the cut had too little to copy for one. */
export async function coverSlave(paths: SlavePaths, window: Window): Promise<void> {
  const { inode } = observeSlave(paths);
  const { dat } = usableDat(readDatOf(paths, inode), inode);
  if (!dat) return;
  const known = readCovered(paths.index);
  const covered = 'end' in known ? known.end : 0;
  await coverMore(paths, dat.claim.position, covered, window, dat.chunks, LIMITS);
}
