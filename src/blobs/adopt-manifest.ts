import { removeIfThere } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { SlavePaths } from '../standby/paths.js';
import { Lanes } from './lanes.js';
import type { BlobId } from './layout.js';
import { type Copy, decodeManifest, Manifest } from './manifest.js';
import { hashOf, refuseDirectories, writeManifest } from './manifest-file.js';
import { SlaveTree } from './slave-tree.js';

export interface AdoptManifestRequest {
  /** Of the side that adopts. */
  readonly paths: SlavePaths;
  /** Its blob directory. */
  readonly directory: string;
  /** The other side's `Data.fs.blobs`, and what its `.dat` claims of it. */
  readonly theirs: { readonly path: string; readonly claim: BlobsClaim };
  /** Blobs of newer transactions are left out. */
  readonly upTo: bigint;
  /** Blobs that count although the other side's claim may not have them: of its last transactions before `upTo`. */
  readonly named: Iterable<BlobId>;
  readonly deadline: ReadDeadline;
}

/** Once this side was the master: the other one has copied its blobs, and these are still here. */
export type AdoptedManifest = { readonly claim: BlobsClaim } | { readonly problem: string };

const PIECE = 1 << 20;
/** About 30 million blobs. */
const LARGEST = 1 << 30;

/**
 * Makes the list of the other side's blobs this side's own, so that none of them is copied again. Blobs whose file is not here, or
 * has another length, are listed as missing: the next sync brings them.
 *
 * The list is durable under its temporary name (`freshBlobs`), without which nothing refers to it. The caller publishes a `.dat`
 * with the claim, which makes that name durable as well, and then calls settleManifest. `problem`: the other side's list cannot be
 * used, and nothing was written.
 */
export async function adoptManifest(request: AdoptManifestRequest): Promise<AdoptedManifest> {
  const { paths, directory, upTo, named, deadline } = request;
  refuseDirectories(paths);
  const theirs = await readTheirs(request.theirs, deadline);
  if (!(theirs instanceof Manifest)) return theirs;
  const tree = SlaveTree.open(directory);
  const layout = tree.layout ?? (await tree.layoutSeen());
  if (layout === undefined && theirs.count > 0) return { problem: `${directory} has no blob; is its disk mounted?` };
  if (layout !== undefined) tree.settleLayout(layout);
  const ours = new Manifest();
  let number = 0;
  for (const id of theirs.ids) {
    const copy = theirs.copyAt(number++);
    if (id.tid <= upTo) ours.set(id, isHere(tree, id, copy) ? copy : 'missing');
  }
  await addNamed(ours, named, tree, upTo, deadline);
  // Of an earlier life: what they list may be removed by a sync that believes them.
  for (const path of [paths.blobsBefore, paths.blobsJournal, paths.blobsScrub]) removeIfThere(path);
  return { claim: writeManifest(paths.freshBlobs, ours, paths, tree.path) };
}

function isHere(tree: SlaveTree, id: BlobId, copy: Copy): boolean {
  return copy !== 'missing' && tree.find(id)?.size === copy.length;
}

/** Their hashes are those of the files here: nobody has copied them. */
async function addNamed(
  ours: Manifest,
  named: Iterable<BlobId>,
  tree: SlaveTree,
  upTo: bigint,
  deadline: ReadDeadline,
): Promise<void> {
  await new Lanes(deadline).run(named, async (id, window) => {
    if (id.tid > upTo || ours.get(id) !== undefined) return;
    const found = tree.find(id);
    ours.set(id, found ? { length: found.size, hash: tree.hash(found.relative, window) } : 'missing');
  });
}

/** The other side's list, up to what its claim describes. */
async function readTheirs(
  { path, claim }: AdoptManifestRequest['theirs'],
  deadline: ReadDeadline,
): Promise<Manifest | { readonly problem: string }> {
  if (claim.length > LARGEST) return { problem: `${path} has ${claim.length} bytes` };
  let file: OpenFile | undefined;
  try {
    file = await deadline.wait(OpenFile.openToRead(path), 'open', path);
    const bytes = new Uint8Array(claim.length);
    for (let position = 0; position < bytes.length; position += PIECE) {
      const piece = bytes.subarray(position, position + PIECE);
      await deadline.wait(file.readLater(piece, piece.length, position), 'read', path, position);
    }
    const { manifest, length, seal } = decodeManifest(bytes);
    if (length === claim.length && hashOf(seal) === claim.hash) return manifest;
    return { problem: `${path} is not the list of blobs that its .dat describes` };
  } catch (error) {
    if (!(error instanceof IoFault) || error.code === 'ETIMEDOUT') throw error;
    return { problem: error.message };
  } finally {
    file?.closeWhenIdle();
  }
}
