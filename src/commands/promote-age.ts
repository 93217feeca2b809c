import { tidToIso } from '../filestorage/tid.js';
import { OpenFile } from '../io/open-file.js';
import { readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import { formatSeconds } from '../report/numbers.js';
import type { Dat } from '../standby/dat.js';
import type { SlavePaths } from '../standby/paths.js';
import { findCompleteEnd } from '../takeover/complete-end.js';

/** Why a slave is too old to be promoted. */
export interface TooOld {
  readonly reason: string;
  readonly hint: string;
}

/**
 * Holds the age of a slave against a limit: since it was last known to be in step with its master, or, where that is not
 * recorded, since its last transaction, in which case it may be younger than that. Reads, and writes nothing.
 *
 * @param lastSync milliseconds since the epoch
 */
export async function tooOld(
  paths: SlavePaths,
  dat: Dat | undefined,
  lastSync: number | undefined,
  maxAgeSeconds: number,
  window: Window,
): Promise<TooOld | undefined> {
  const hint = '--force promotes it all the same: what the master has committed since is not on it';
  const since = lastSync ?? timeOf(dat?.claim.tid ?? (await lastTid(paths, window)));
  const limit = `--max-age is ${formatSeconds(maxAgeSeconds)}`;
  if (since === undefined) return { reason: `it is not known how old the slave is, and ${limit}`, hint };
  const age = Math.max(0, Date.now() - since) / 1000;
  if (age <= maxAgeSeconds) return undefined;
  const what = lastSync === undefined ? 'its last transaction is' : 'it was last known to be in step';
  const ago = `${formatSeconds(age)} ${lastSync === undefined ? 'old' : 'ago'}`;
  return { reason: `the slave is too old: ${what} ${ago}, and ${limit}`, hint };
}

function timeOf(tid: bigint): number | undefined {
  const iso = tidToIso(tid);
  return iso === null ? undefined : Date.parse(iso);
}

async function lastTid(paths: SlavePaths, window: Window): Promise<bigint> {
  const file = OpenFile.openHere(paths.data);
  try {
    return (await findCompleteEnd(readableFile(file), undefined, window, false)).tid;
  } finally {
    file.closeQuietly();
  }
}
