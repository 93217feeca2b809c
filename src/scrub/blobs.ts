import type { BlobId } from '../blobs/layout.js';
import { REREAD_START } from '../blobs/reread.js';
import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import { IoFault } from '../io/fault.js';
import type { Work } from '../pipeline/work.js';
import { type BlobScrubProgress, readBlobScrub, writeBlobScrub } from '../standby/blob-scrub-file.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';

/** What a scrub of blobs has found. */
export interface ScrubbedBlobs {
  /** Bytes reread on the slave. */
  readonly bytes: number;
  /** Blobs that were not as they had been copied. */
  readonly bad: number;
  /** Those of them that the master does not have as they were copied either. */
  readonly lost: readonly BlobId[];
  /** The manifest itself has changed on the disk: nothing that it says counts. */
  readonly manifestChanged: boolean;
}

/** Blobs that stay wrong and are looked at in every run. */
const MOST_WRONG = 100;

/**
 * Rereads a slice of the slave's blobs and repairs those that are wrong from a master that still has the bytes that were
 * copied. The next run continues where this one ends. What cannot be repaired is checked again by every run.
 */
export async function scrubBlobs(
  work: Work,
  amount: number,
  blobs: StandbyBlobs,
  claim: BlobsClaim,
): Promise<ScrubbedBlobs> {
  const progress = readBlobScrub(work.paths, claim);
  const from = amount === Number.POSITIVE_INFINITY ? REREAD_START : (progress.next ?? REREAD_START);
  const { next, bytes, bad } = await blobs.reread(claim, from, amount);
  const suspects = new Map([...progress.wrong, ...bad.map(([id]) => id)].map((id) => [`${id.oid} ${id.tid}`, id]));
  const result = suspects.size > 0 ? await blobs.repair(claim, [...suspects.values()]) : { wrong: [], repaired: 0 };
  if (!result) return { bytes, bad: 0, lost: [], manifestChanged: true };
  if (result.repaired > 0) {
    const message = 'blobs of the slave were not as they had been copied, and are copied again';
    work.report({ level: 'warn', message, fields: { count: result.repaired } });
  }
  note(work, claim, {
    next,
    wrong: result.wrong.slice(0, MOST_WRONG),
    lastFull: next === undefined ? new Date() : progress.lastFull,
  });
  return { bytes, bad: result.repaired + result.wrong.length, lost: result.wrong, manifestChanged: false };
}

function note(work: Work, claim: BlobsClaim, progress: BlobScrubProgress): void {
  try {
    writeBlobScrub(work.paths, claim, progress);
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    work.report({ level: 'warn', message: `how far the scrub has come could not be noted: ${error.message}` });
  }
}
