import { formatTid } from '../filestorage/tid.js';
import { IoFault } from '../io/fault.js';
import { readSmallTextIfAny, replaceText } from '../io/replace.js';
import type { BlobsClaim } from './blobs-claim.js';

import type { SlavePaths } from './paths.js';

/**
 * `Data.fs.blobs.scrub`: progress of the scrub through the blobs. Text, replaced by every run that scrubs blobs.
 *
 * ```
 * syncpozo blob scrub 1
 * directory "DIR"
 * next ITEM OFFSET STATE       where the next slice begins: an item of Data.fs.blobs, and a place in that blob with the
 *                              XXH64 state of what is before it; - without one
 * full TIME                    when the last round ended; never without one
 * wrong OID TID                a blob that could not be repaired
 * ```
 *
 * It is not durable: a crash leaves an older one or an invalid text, and in the latter case a new round begins.
 */
export interface BlobScrubProgress {
  readonly next: { readonly item: number; readonly offset: number; readonly state: string } | undefined;
  readonly wrong: readonly { readonly oid: bigint; readonly tid: bigint }[];
  readonly lastFull: Date | undefined;
}

const LARGEST = 16_384;
const FORM =
  /^syncpozo blob scrub 1\ndirectory (".*")\nnext (\d{1,15}) (\d{1,15}) ([0-9a-f]+|-)\nfull (never|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n((?:wrong [0-9a-f]{16} [0-9a-f]{16}\n)*)$/;
const NEW_ROUND: BlobScrubProgress = { next: undefined, wrong: [], lastFull: undefined };
/** Digits of a hash state: 32 bytes, and those of an incomplete stripe of 32. */
const STATE_BYTES = 32;

/** Progress on the blobs of a claim; a new round where the file is missing, invalid or for another directory. */
export function readBlobScrub(paths: Pick<SlavePaths, 'blobsScrub'>, claim: BlobsClaim): BlobScrubProgress {
  const [directory, item, offset, state = '-', full, wrong = ''] =
    FORM.exec(readSmallTextIfAny(paths.blobsScrub, LARGEST))?.slice(1) ?? [];
  if (directory === undefined || directory !== JSON.stringify(claim.directory)) return NEW_ROUND;
  const lastFull = full === 'never' || full === undefined ? undefined : new Date(full);
  const place = { item: Number(item), offset: Number(offset), state: state === '-' ? '' : state };
  const digits = place.offset === 0 ? 0 : 2 * (STATE_BYTES + (place.offset % STATE_BYTES));
  if (place.state.length !== digits || (lastFull && Number.isNaN(lastFull.getTime()))) return NEW_ROUND;
  const ids = [...wrong.matchAll(/wrong (\w{16}) (\w{16})/g)].map(([, oid, tid]) => {
    return { oid: BigInt(`0x${oid}`), tid: BigInt(`0x${tid}`) };
  });
  return { next: place, wrong: ids, lastFull };
}

/** Stores the progress. Throws an IoFault on failure. */
export function writeBlobScrub(paths: SlavePaths, claim: BlobsClaim, progress: BlobScrubProgress): void {
  const { next = { item: 0, offset: 0, state: '' }, wrong, lastFull } = progress;
  const lines = [
    'syncpozo blob scrub 1',
    `directory ${JSON.stringify(claim.directory)}`,
    `next ${next.item} ${next.offset} ${next.state || '-'}`,
    `full ${lastFull?.toISOString() ?? 'never'}`,
    ...wrong.map(({ oid, tid }) => `wrong ${formatTid(oid)} ${formatTid(tid)}`),
  ];
  const { uid, gid } = paths.directoryFacts;
  replaceText(paths.blobsScrub, `${lines.join('\n')}\n`, { mode: 0o644, uid, gid });
}

/**
 * Begins a new round: the blobs have another order in a new manifest. Failure costs nothing but a round that is not
 * complete.
 */
export function beginBlobScrub(paths: SlavePaths, claim: BlobsClaim): void {
  const progress = readBlobScrub(paths, claim);
  if (progress.next === undefined) return;
  try {
    writeBlobScrub(paths, claim, { ...progress, next: undefined });
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
  }
}
