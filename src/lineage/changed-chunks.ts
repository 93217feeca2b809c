import type { Readable } from '../pipeline/scan.js';
import { hashOf } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Verdict } from './verdict.js';

/** The chunks of a slave whose bytes do not have their recorded hash any more. Reads all of the slave. */
export async function changedChunks(
  slave: Readable,
  chunks: readonly ChunkLine[],
  window: Window,
): Promise<readonly ChunkLine[]> {
  const changed: ChunkLine[] = [];
  for (const chunk of chunks) {
    if (chunk.start < slave.size && (await hashOf(slave, chunk, window)) !== chunk.hash) changed.push(chunk);
  }
  return changed;
}

/**
 * Whether flipped bits of the slave may have led to this verdict: a flipped tid or oid looks like another history. Then it is
 * worth the time to read all of the slave before somebody is asked to decide.
 */
export function mayComeFromSlave({ lineage, own, blame, inPackedFile }: Verdict): boolean {
  if (own || lineage === 'forked' || lineage === 'unrelated') return true;
  return lineage === 'rotten' && blame !== 'master' && !inPackedFile;
}
