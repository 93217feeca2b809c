import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { BlobId } from './layout.js';
import type { Copy } from './manifest.js';

/** The claim after these entries were appended to its manifest, which now ends at this place. */
export function claimAfter(
  before: BlobsClaim,
  entries: readonly (readonly [BlobId, Copy])[],
  place: Pick<BlobsClaim, 'length' | 'hash'>,
): BlobsClaim {
  let { count, bytes, missing } = before;
  for (const [, copy] of entries) {
    if (copy === 'missing') missing++;
    else {
      count++;
      bytes += copy.length;
    }
  }
  return { ...before, ...place, count, bytes, missing };
}
