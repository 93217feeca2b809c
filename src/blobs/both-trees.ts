import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { BlobTree } from './blob-tree.js';
import { ITEM } from './manifest.js';
import { readItems, sealOf } from './manifest-file.js';
import type { BlobSettings } from './settings.js';
import { SlaveTree } from './slave-tree.js';

/** Opens the blob directories of both sides. Throws PathMistake where they cannot be those of one site. */
export async function openBothTrees(
  settings: BlobSettings,
  claimed: BlobsClaim | undefined,
  deadline: ReadDeadline,
): Promise<{ readonly master: BlobTree; readonly slave: SlaveTree }> {
  const slave = SlaveTree.open(settings.slave);
  const master = await BlobTree.open(settings.master, deadline);
  if (master.isSame(slave.facts)) {
    throw new PathMistake(
      `the blob directories of MASTER and SLAVE are the same: ${settings.slave}`,
      'name them as --blobs MASTER_DIR:SLAVE_DIR',
    );
  }
  if (master.isNested(slave.path) || (settings.keepPacked && master.isNested(`${slave.path}.old`))) {
    throw new PathMistake(
      `of the blob directories ${settings.master} and ${settings.slave} one lies in the other`,
      "give the slave's blobs a directory of their own; --keep-blobs uses another one beside it, which ends with .old",
    );
  }
  if (claimed && master.isAt(claimed.directory)) {
    throw new PathMistake(
      `the blobs of this slave were copied to ${settings.master}, which is named as the master's blob directory now`,
      'are the two directories swapped? Name them as --blobs MASTER_DIR:SLAVE_DIR',
    );
  }
  // Without the file .layout ZODB would take any directory that is used for a lawn. It gets one, so its blobs decide.
  const isOther = slave.layout !== undefined && slave.layout !== master.layout;
  const seen = slave.layout === undefined || isOther ? await slave.layoutSeen() : slave.layout;
  if (isOther && seen === undefined) slave.forgetLayout();
  const layout = slave.layout ?? seen;
  if (layout === undefined && claimed && claimed.count > 0 && claimed.directory === slave.path) {
    throw emptied(slave, claimed);
  }
  // An empty directory of the master has no layout of its own: it may not be mounted.
  if (layout !== undefined && layout !== master.layout && !master.isEmpty) {
    throw new PathMistake(
      `the blob directories have different layouts: ${master.layout} in ${settings.master}, ${layout} in ${slave.path}`,
      "give the slave an empty directory, or convert one of them with ZODB's migrateblobs",
    );
  }
  return { master, slave };
}

/**
 * Whether the manifest is the one of the claim, and the newest blob is where it was copied to: a look at one file. Throws
 * PathMistake where the directory has no blob at all.
 */
export async function isProved(claimed: BlobsClaim, slave: SlaveTree, paths: SlavePaths): Promise<boolean> {
  const manifestPath = [paths.blobs, paths.freshBlobs].find((path) => sealOf(path, claimed) !== undefined);
  if (manifestPath === undefined) return false;
  const [entry] = readItems(manifestPath, claimed.length / ITEM - 2, claimed.length > ITEM ? 1 : 0);
  if (!entry || entry[1] === 'missing') return true;
  if (slave.find(entry[0])?.size === entry[1].length) return true;
  if ((await slave.layoutSeen()) === undefined) throw emptied(slave, claimed);
  return false;
}

function emptied(slave: SlaveTree, { count }: BlobsClaim): PathMistake {
  return new PathMistake(
    `${slave.path} has no blob, and ${count} were copied into it`,
    'is its disk mounted? If the blobs are really gone, remove the file .dat beside the slave: they are copied again',
  );
}
