import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { keptAside } from '../standby/kept-aside.js';
import { neededManifests, packedManifests } from '../standby/kept-packed.js';
import type { SlavePaths } from '../standby/paths.js';
import { type BlobId, type Layout, pathOf } from './layout.js';
import type { Manifest } from './manifest.js';
import { claimedManifest, readManifest } from './manifest-file.js';
import { NotABlob } from './mistakes.js';
import { otherSlaveOf } from './shared.js';
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
  const other = otherSlaveOf(paths, claim.directory);
  if (other !== undefined) {
    const message = 'blobs that were packed away stay: another slave has its blobs in the same directory';
    removal.report({ level: 'warn', message, fields: { directory: claim.directory, slave: other } });
    return 0;
  }
  const { manifest: before } = readManifest(paths.blobsBefore);
  const kept = neededManifests(paths) ?? [];
  const needed = [current, ...kept.map((path) => readManifest(path).manifest)];
  const { removed, failed } = await removeAll(before, needed, removal);
  if (failed === undefined) {
    removeIfThere(paths.blobsBefore);
    // Of files that are not kept any more.
    for (const path of packedManifests(paths)) if (!kept.includes(path)) removeIfThere(path);
  } else {
    const message = 'not all blobs that were packed away could be removed; the next run tries again';
    removal.report({ level: 'warn', message, fields: { first: failed.message } });
  }
  return removed;
}

/**
 * Whether a rebuild has noted blobs that may be removed. They stay as long as an old file is kept aside: it is of use to
 * nobody without its blobs. Of a file that is kept after a pack, its blobs are listed; those that it needs stay.
 */
export function hasPacked(paths: SlavePaths): boolean {
  if (factsOfPath(paths.blobsBefore) === undefined || keptAside(paths).length > 0) return false;
  return neededManifests(paths) !== undefined;
}

/** What forbids a removal again and again, until somebody changes it. Any other fault ends the run. */
const NOT_ALLOWED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EXDEV', 'EBUSY']);

/** A file that may not be removed is in the way of nothing: no sync has to fail for it. */
async function removeAll(
  before: Manifest,
  needed: readonly Manifest[],
  removal: Removal,
): Promise<{ readonly removed: number; readonly failed: IoFault | undefined }> {
  const { slave, layout, keep, deadline, report } = removal;
  let removed = 0;
  let failed: IoFault | undefined;
  const stays = (id: BlobId, why: string): void =>
    report({
      level: 'warn',
      message: `a blob that was packed away stays: ${why}`,
      fields: { blob: pathOf(id, layout) },
    });
  for (const id of before.ids) {
    if (deadline.signal.aborted) throw new Interrupted();
    const copy = before.get(id);
    if (copy === undefined || copy === 'missing' || needed.some((each) => each.get(id) !== undefined)) continue;
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
      if (error instanceof NotABlob) stays(id, error.message);
      else if (error instanceof IoFault && NOT_ALLOWED.has(error.code)) failed ??= error;
      else throw error;
    }
  }
  await slave.settle();
  return { removed, failed };
}
