import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { keptAside } from '../standby/kept-aside.js';
import type { SlavePaths } from '../standby/paths.js';
import { type BlobId, type Layout, pathOf } from './layout.js';
import type { Manifest } from './manifest.js';
import { claimedManifest, readManifest } from './manifest-file.js';
import { NotABlob } from './mistakes.js';
import type { SlaveTree } from './slave-tree.js';

export interface Removal {
  readonly slave: SlaveTree;
  readonly layout: Layout;
  /** Move them aside, into the directory with `.old` behind its name. */
  readonly keep: boolean;
  readonly deadline: ReadDeadline;
  readonly report: (notice: Notice) => void;
}

/**
 * Removes blobs that this program copied for transactions that the master has packed away since: those that the manifest
 * before the rebuild has, and the claimed one has not. A file under such a name with another length is not the copy, and
 * stays. Returns the number of removed files; their removal is durable.
 *
 * @param claim the published claim
 */
export async function removePacked(paths: SlavePaths, claim: BlobsClaim, removal: Removal): Promise<number> {
  const current = hasPacked(paths) && claimedManifest(paths.blobs, claim);
  if (!current) return 0;
  const { manifest: before } = readManifest(paths.blobsBefore);
  const removed = await removeAll(before, current, removal);
  removeIfThere(paths.blobsBefore);
  return removed;
}

/**
 * Whether a rebuild has noted blobs that may be removed. They stay as long as an old file is kept aside: it is of use to
 * nobody without its blobs.
 */
export function hasPacked(paths: SlavePaths): boolean {
  return factsOfPath(paths.blobsBefore) !== undefined && keptAside(paths).length === 0;
}

async function removeAll(before: Manifest, current: Manifest, removal: Removal): Promise<number> {
  const { slave, layout, keep, deadline, report } = removal;
  let removed = 0;
  const stays = (id: BlobId, why: string): void =>
    report({
      level: 'warn',
      message: `a blob that was packed away stays: ${why}`,
      fields: { blob: pathOf(id, layout) },
    });
  for (const id of before.ids) {
    if (deadline.signal.aborted) throw new Interrupted();
    const copy = before.get(id);
    if (copy === undefined || copy === 'missing' || current.get(id) !== undefined) continue;
    const relative = pathOf(id, layout);
    try {
      const facts = slave.factsAt(relative);
      if (facts && facts.size !== copy.length) {
        stays(id, `it has ${facts.size} bytes, and was copied with ${copy.length}`);
        continue;
      }
      if (facts && keep) slave.linkAside(relative);
      // Also where it is not there any more: a killed run may have removed it in memory only.
      if (slave.remove(relative) || (facts && keep)) removed++;
    } catch (error) {
      if (!(error instanceof NotABlob)) throw error;
      stays(id, error.message);
    }
  }
  await slave.settle();
  return removed;
}
