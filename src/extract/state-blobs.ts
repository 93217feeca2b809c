import { dirname } from 'node:path';
import { BlobSet } from '../blobs/blob-set.js';
import { BlobTree } from '../blobs/blob-tree.js';
import { BlobCopier } from '../blobs/copier.js';
import { Lanes } from '../blobs/lanes.js';
import { type BlobId, pathOf } from '../blobs/layout.js';
import { SlaveTree } from '../blobs/slave-tree.js';
import { link, listDirectory, makeDirectoryWith, syncDirectory } from '../io/directory.js';
import { factsBehindPath, factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { removeTree } from '../io/temporary.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { PathMistake } from '../standby/paths.js';

export interface StateBlobsRequest {
  /** The blob directory of the file. */
  readonly from: string;
  /** The new one; it does not exist, or is empty. */
  readonly to: string;
  /** Never link: the new directory is to share no byte with the old one. */
  readonly copies: boolean;
  readonly deadline: ReadDeadline;
  readonly onFiles: (done: { readonly files: number; readonly bytes: number }, files: number) => void;
}

export interface StateBlobsCount {
  files: number;
  linked: number;
  /** Of the copied ones. */
  bytes: number;
  /** Blobs that the state names and that are not there. */
  missing: number;
  /** The first of them, relative to the directory. */
  firstMissing: string | undefined;
}

/** Error codes of a file system that cannot link the two. */
const NO_LINKS: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/**
 * The blobs of a state in a directory of their own: linked, because a blob never changes; or copied.
 *
 * Write order: the directory and its layout; each blob under a temporary name, fsync, rename; fsync of every directory, and of the
 * one that holds the new directory. A run that is killed leaves a part of it.
 */
export class StateBlobs {
  readonly count: StateBlobsCount = { files: 0, linked: 0, bytes: 0, missing: 0, firstMissing: undefined };
  private links: boolean;
  private isBegun = false;

  private constructor(
    private readonly request: StateBlobsRequest,
    private readonly trees: readonly BlobTree[],
  ) {
    this.links = !request.copies;
  }

  /** Throws PathMistake where a directory cannot be used. */
  static async open(request: StateBlobsRequest): Promise<StateBlobs> {
    const { from, to, deadline } = request;
    const there = factsOfPath(to);
    if (there && (there.kind !== 'directory' || listDirectory(to).length > 0))
      throw new PathMistake(
        `${to} exists`,
        'name a directory for the blobs that does not exist, or is empty; a restore that was killed leaves a part of one',
      );
    const parent = factsOfPath(dirname(to))?.kind;
    if (parent !== 'directory')
      throw new PathMistake(
        `the directory ${dirname(to)} does not exist`,
        'is its disk mounted? If it is, make it first',
      );
    if ((await factsBehindPath(from)) === undefined)
      throw new PathMistake(
        `the blob directory ${from} does not exist`,
        'name the blob directory of FILE first: --blobs DIR:DEST_DIR',
      );
    // Blobs that a pack has removed may have been kept there, by ZODB or by --keep-blobs.
    const old = `${from}.old`;
    const trees = [await BlobTree.open(from, deadline)];
    if ((await factsBehindPath(old))?.kind === 'directory') trees.push(await BlobTree.open(old, deadline));
    return new StateBlobs(request, trees);
  }

  async fill(ids: BlobSet): Promise<void> {
    const { deadline, onFiles } = this.request;
    const { to } = this.request;
    const [tree] = this.trees;
    const facts = tree && (await factsBehindPath(tree.path));
    if (!tree || !facts) throw new IoFault('open', this.request.from, 'ENOENT', 'the blob directory is gone');
    this.isBegun = true;
    makeDirectoryWith(to, facts);
    const slave = SlaveTree.open(to);
    slave.settleLayout(tree.layout);
    const onBytes = (bytes: number): void => {
      this.count.bytes += bytes;
    };
    const copiers = this.trees.map((each) => new BlobCopier(each, slave, deadline, 'copy', onBytes, () => {}));
    await new Lanes(deadline).run(ids, async (id, window) => {
      if (!(await this.linkOne(id, slave))) {
        let isThere = false;
        for (const copier of copiers) isThere ||= (await copier.obtain(id, window)).kind !== 'absent';
        if (isThere) this.count.files++;
        else {
          this.count.missing++;
          this.count.firstMissing ??= pathOf(id, tree.layout);
        }
      }
      onFiles({ files: this.count.files + this.count.missing, bytes: this.count.bytes }, ids.size);
    });
    await slave.settle();
    syncDirectory(dirname(to));
  }

  /** All blobs that may belong to a state whose records do not show them, because they are encrypted. */
  async idsUpTo(tid: bigint): Promise<BlobSet> {
    const [all, ...more] = await Promise.all(this.trees.map((tree) => tree.blobsUpTo(tid, undefined)));
    for (const id of more.flatMap((ids) => [...ids])) all?.addId(id);
    return all ?? new BlobSet();
  }

  /** Removes what was made. */
  async discard(): Promise<void> {
    if (this.isBegun) await removeTree(this.request.to);
  }

  private async linkOne(id: BlobId, slave: SlaveTree): Promise<boolean> {
    for (const tree of this.links ? this.trees : []) {
      const blob = await tree.openBlob(id);
      if (!blob) continue;
      try {
        const place = pathOf(id, slave.layout ?? 'bushy');
        slave.prepareUnfinished(place);
        link(blob.file.path, slave.unfinished(place));
        await syncAt(slave, place);
        slave.finish(place);
        slave.touch(place);
        this.count.files++;
        this.count.linked++;
        return true;
      } catch (error) {
        if (!(error instanceof IoFault) || !NO_LINKS.has(error.code)) throw error;
        this.links = false;
        return false;
      } finally {
        tree.close(blob);
      }
    }
    return false;
  }
}

async function syncAt(slave: SlaveTree, place: string): Promise<void> {
  const file = slave.openUnfinished(place);
  try {
    await file.syncLater();
  } finally {
    file.closeQuietly();
  }
}
