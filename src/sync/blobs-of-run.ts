import { dirname, resolve } from 'node:path';
import { StandbyBlobs } from '../blobs/standby-blobs.js';
import { observeSlave, usableDat } from '../pipeline/observe.js';
import type { Work } from '../pipeline/work.js';
import type { Dat } from '../standby/dat.js';
import { publishDat, readDatOf } from '../standby/dat-file.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import type { Plan } from './facts.js';
import type { BlobsOutcome, SyncRequest } from './outcome.js';
import { keepsOldBytes } from './scrub-steps.js';

/** The blobs of a run that may write. Throws PathMistake where a run would leave them behind, or mix two sites. */
export async function blobsOf(
  plan: Plan,
  dat: Dat | undefined,
  work: Work,
  { blobs, onBlobs, dryRun, masterPath }: SyncRequest,
): Promise<StandbyBlobs | undefined> {
  if (!keepsOldBytes(plan) && plan.kind !== 'full' && plan.kind !== 'rebuild') return undefined;
  if (blobs === undefined && dat?.blobs) {
    throw new PathMistake(
      `earlier runs have copied the blobs of this slave (to ${dat.blobs.directory}), and --blobs is missing`,
      'name both directories: --blobs MASTER_DIR:SLAVE_DIR. To go on without its blobs: --no-blobs',
    );
  }
  if (blobs === undefined || blobs === 'given-up') return undefined;
  if (resolve(blobs.slave) === dirname(masterPath)) {
    throw new PathMistake(
      `${blobs.slave} is the data directory of MASTER, and named as the slave's blob directory`,
      'name both directories as --blobs MASTER_DIR:SLAVE_DIR',
    );
  }
  const { paths, deadline, report } = work;
  const opened = await StandbyBlobs.open(blobs, dat, { paths, deadline, report, onProgress: onBlobs });
  if (dryRun) return opened;
  opened.prepare(dat);
  // Behind another rebuild, what a killed one has noted as packed away may be what a file needs that is kept aside.
  if (plan.kind === 'rebuild') await opened.removePacked(dat?.blobs);
  return opened;
}

/** Gives the claim about blobs up: what is appended from now on comes without its blobs. */
export function withoutBlobs(plan: Plan, dat: Dat | undefined, paths: SlavePaths): Dat | undefined {
  if (!dat?.blobs || !keepsOldBytes(plan)) return dat;
  const without = { ...dat, blobs: undefined };
  publishDat(paths, without);
  return without;
}

/** What the run did about blobs, and what is claimed of them now. */
export function blobsOutcome(blobs: StandbyBlobs, plan: Plan, dat: Dat | undefined, paths: SlavePaths): BlobsOutcome {
  const now = plan.kind === 'none' ? dat : datNow(paths);
  return { ...blobs.counts, removed: blobs.removed, claim: now?.blobs, lost: [] };
}

function datNow(paths: SlavePaths): Dat | undefined {
  const { inode } = observeSlave(paths);
  return usableDat(readDatOf(paths, inode), inode).dat;
}
