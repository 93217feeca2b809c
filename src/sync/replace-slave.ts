import type { Magic } from '../filestorage/layout.js';
import { withFile } from '../io/with-file.js';
import { changedChunks, mayComeFromSlave } from '../lineage/changed-chunks.js';
import { Exchanged } from '../pipeline/copy.js';
import { Master } from '../pipeline/master.js';
import { readableFile } from '../pipeline/scan.js';
import type { Work } from '../pipeline/work.js';
import { type RebuildOptions, type Rebuilt, rebuild } from './rebuild.js';

/**
 * Rebuilds a slave. A refusal that flipped bits of the slave may have caused is checked: all of the slave is read, and where
 * chunks do not have their hash any more, the rebuild is tried once more, without believing what only those chunks show.
 */
export async function replaceSlave(
  work: Work,
  opened: Master,
  magic: Magic,
  options: RebuildOptions,
): Promise<Rebuilt> {
  const first = await rebuild(work, opened, magic, options);
  const { replaced } = options;
  if (!first.refused || !replaced || !first.verdict || !mayComeFromSlave(first.verdict)) return first;
  const changed = await withFile(work.paths.data, (slave) =>
    changedChunks(readableFile(slave), replaced.chunks, work.source.window),
  );
  if (changed.length === 0) return first;
  // The first copy may have closed the descriptor of this run's master.
  const reopened = await Master.open(opened.path, work.deadline);
  if (!reopened) throw new Exchanged(opened.path);
  const master = reopened.limitedAs(opened);
  try {
    if (master.facts.inode !== opened.facts.inode) throw new Exchanged(opened.path);
    return await rebuild(work, master, magic, { ...options, replaced: { ...replaced, changed } });
  } finally {
    master.close();
  }
}
