import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { SlavePaths } from '../standby/paths.js';
import { type BlobId, type Layout, otherLayout, pathOf } from './layout.js';
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
  const current = factsOfPath(paths.blobsBefore) && claimedManifest(paths.blobs, claim);
  if (!current) return 0;
  const { manifest: before } = readManifest(paths.blobsBefore);
  const removed = await removeAll(before, current, removal);
  removeIfThere(paths.blobsBefore);
  return removed;
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
    for (const relative of [pathOf(id, layout), pathOf(id, otherLayout(layout))]) {
      try {
        const facts = slave.factsAt(relative);
        if (!facts) {
          // A killed run may have removed it in memory only.
          slave.remove(relative);
          continue;
        }
        if (facts.size !== copy.length) {
          stays(id, `it has ${facts.size} bytes, and was copied with ${copy.length}`);
          continue;
        }
        if (keep) slave.linkAside(relative);
        if (slave.remove(relative) || keep) removed++;
      } catch (error) {
        if (!(error instanceof NotABlob)) throw error;
        stays(id, error.message);
      }
    }
  }
  await slave.settle();
  return removed;
}
