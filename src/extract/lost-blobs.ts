import { dirname } from 'node:path';
import { BlobTree } from '../blobs/blob-tree.js';
import { BlobCopier, type CopyWay } from '../blobs/copier.js';
import { Lanes } from '../blobs/lanes.js';
import type { BlobId } from '../blobs/layout.js';
import { SlaveTree } from '../blobs/slave-tree.js';
import { makeDirectoryWith, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { removeTree } from '../io/temporary.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { PathMistake } from '../standby/paths.js';
import { unfinishedDirectoryOf } from './new-file.js';

export interface LostBlobsRequest {
  /** The blob directory that has them; only read. */
  readonly tree: string;
  readonly ids: readonly BlobId[];
  /** The blob directory to make, in a directory that exists. What it holds already is compared and counts. */
  readonly directory: string;
  readonly deadline: ReadDeadline;
}

export interface LostBlobs {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
  /** Those of which the tree has no file. */
  readonly missing: readonly BlobId[];
}

/** As a directory of data: what is in it is as secret as the data. */
const NO_ACCESS_FOR_OTHERS = 0o770;

/**
 * Makes a blob directory of some blobs, in the layout that they have: hard links where both directories are on one file system, copies otherwise. Its
 * name appears when all of it is durable. Without ids none is made.
 */
export async function keepLostBlobs(request: LostBlobsRequest): Promise<LostBlobs> {
  const { ids, directory } = request;
  if (ids.length === 0) return { directory, files: 0, bytes: 0, missing: [] };
  const isThere = factsOfPath(directory) !== undefined;
  const place = isThere ? directory : unfinishedDirectoryOf(directory);
  const from = await BlobTree.open(request.tree, request.deadline);
  const { mode, uid, gid } = SlaveTree.open(request.tree).facts;
  makeDirectoryWith(place, { mode: mode & NO_ACCESS_FOR_OTHERS, uid, gid });
  const kept = await fill(from, SlaveTree.open(place), request).catch(async (error: unknown) => {
    if (!isThere) await removeTree(place);
    throw error;
  });
  if (!isThere) rename(place, directory);
  syncDirectory(dirname(directory));
  return { directory, ...kept };
}

async function fill(
  from: BlobTree,
  to: SlaveTree,
  { ids, deadline }: LostBlobsRequest,
): Promise<Omit<LostBlobs, 'directory'>> {
  to.settleLayout(from.layout);
  const copierBy = (way: CopyWay): BlobCopier =>
    new BlobCopier(
      from,
      to,
      deadline,
      way,
      () => {},
      () => {},
    );
  let copier = copierBy('link');
  let files = 0;
  let bytes = 0;
  const missing: BlobId[] = [];
  await new Lanes(deadline).run(ids, async (id, window) => {
    const obtained = await copier.obtain(id, window).catch((error: unknown) => {
      // The two directories, or the files in them, cannot be linked.
      if (!(error instanceof PathMistake)) throw error;
      copier = copierBy('copy');
      return copier.obtain(id, window);
    });
    if (obtained.kind === 'absent') return void missing.push(id);
    files++;
    bytes += obtained.copy.length;
  });
  await to.settle();
  return { files, bytes, missing };
}
