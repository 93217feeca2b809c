import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { BlobCopier } from './copier.js';
import { Lanes } from './lanes.js';
import type { BlobId } from './layout.js';
import { claimedManifest } from './manifest-file.js';

export interface Repaired {
  readonly repaired: number;
  readonly wrong: readonly BlobId[];
}

/**
 * Repairs those of these blobs that are not as they were copied, durably. Returns how many, and those that the master
 * does not have as they were copied either; undefined where the manifest itself has changed. Blobs that the claim does
 * not have are passed over.
 */
export async function repairBlobs(
  manifestPath: string,
  claim: BlobsClaim,
  suspects: readonly BlobId[],
  copier: BlobCopier,
  deadline: ReadDeadline,
): Promise<Repaired | undefined> {
  const manifest = claimedManifest(manifestPath, claim);
  if (!manifest) return undefined;
  const wrong: BlobId[] = [];
  let repaired = 0;
  await new Lanes(deadline).run(suspects, async (id, window) => {
    const copy = manifest.get(id);
    if (copy === undefined || copy === 'missing') return;
    const ours = await copier.hashOfSlave(id, window);
    if (ours?.hash === copy.hash && ours.length === copy.length) return;
    if (await copier.restore(id, copy, window)) repaired++;
    else wrong.push(id);
  });
  await copier.slave.settle();
  return { repaired, wrong };
}
