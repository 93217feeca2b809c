import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import { type BlobId, type Layout, otherLayout, pathOf } from './layout.js';
import type { Manifest } from './manifest.js';
import { NotABlob } from './mistakes.js';
import type { SlaveTree } from './slave-tree.js';

export interface Removal {
  /** What was copied before a rebuild, and what the slave needs now. */
  readonly before: Manifest;
  readonly current: Manifest;
  readonly slave: SlaveTree;
  readonly layout: Layout;
  /** Move them aside, into the directory with `.old` behind its name. */
  readonly keep: boolean;
  readonly deadline: ReadDeadline;
  readonly report: (notice: Notice) => void;
}

/**
 * Removes blobs that this program copied for transactions that the master has packed away since. A file under such a
 * name with another length is not the copy, and stays. Returns the number of removed files; their removal is durable.
 */
export async function removePacked({
  before,
  current,
  slave,
  layout,
  keep,
  deadline,
  report,
}: Removal): Promise<number> {
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
