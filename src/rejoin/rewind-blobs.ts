import { adoptManifest } from '../blobs/adopt-manifest.js';
import { type BlobId, pathOf } from '../blobs/layout.js';
import { claimedManifest } from '../blobs/manifest-file.js';
import { SlaveTree } from '../blobs/slave-tree.js';
import { examineRange } from '../extract/range.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { factsOfPath } from '../io/facts.js';
import { withFile } from '../io/with-file.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Resume } from '../pipeline/resume.js';
import { readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { Dat } from '../standby/dat.js';
import type { SlavePaths } from '../standby/paths.js';
import type { KeptLost } from './keep-lost.js';

export interface AdoptRequest {
  readonly paths: SlavePaths;
  /** The slave's blob directory. */
  readonly directory: string;
  readonly fork: Resume;
  /** MASTER's `.dat`, and the slave's own, where they describe the two files. */
  readonly theirs: Dat | undefined;
  readonly own: Dat | undefined;
  readonly master: string;
  readonly window: Window;
  readonly deadline: ReadDeadline;
}

/**
 * What the slave's new `.dat` may claim of blobs up to the fork, so that none of them is copied again; undefined: the next round compares
 * all of them.
 */
export async function claimBlobs(request: AdoptRequest): Promise<BlobsClaim | undefined> {
  const { paths, directory, fork, theirs, own, master, window, deadline } = request;
  if (own?.blobs?.directory === directory && own.claim.position === fork.position) return own.blobs;
  if (!theirs?.blobs) return undefined;
  const from = theirs.claim.position;
  const named = from < fork.position ? await namedIn(paths, from, fork.position, window) : [];
  const theirList = { path: `${master}.blobs`, claim: theirs.blobs };
  const adopted = await adoptManifest({ paths, directory, theirs: theirList, upTo: fork.tid, named, deadline });
  return 'claim' in adopted ? adopted.claim : undefined;
}

async function namedIn(paths: SlavePaths, from: number, end: number, window: Window): Promise<Iterable<BlobId>> {
  return withFile(paths.data, async (file) => {
    const { blobs } = await examineRange({ source: readableFile(file), from, end }, window);
    return [...blobs];
  });
}

/**
 * Removes the blobs of what was lost from the slave's tree, durably: they have a second name in the directory of what was lost.
 * What the claim lists stays.
 */
export async function removeLostBlobs(
  paths: SlavePaths,
  { names }: KeptLost,
  directory: string,
  claim: BlobsClaim | undefined,
  window: Window,
): Promise<void> {
  if (factsOfPath(names.blobs) === undefined) return;
  const listed = claim && (claimedManifest(paths.blobs, claim) ?? claimedManifest(paths.freshBlobs, claim));
  const ids = await withFile(names.file, async (file) => {
    const source = readableFile(file);
    return (await examineRange({ source, from: MAGIC_LENGTH, end: source.size }, window)).blobs;
  });
  const [tree, kept] = [SlaveTree.open(directory), SlaveTree.open(names.blobs)];
  for (const id of ids) {
    if (listed?.get(id) !== undefined || !kept.find(id)) continue;
    tree.remove(pathOf(id, tree.layout ?? 'bushy'));
  }
  await tree.settle();
}
