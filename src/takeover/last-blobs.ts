import { type BlobId, pathOf } from '../blobs/layout.js';
import type { Copy } from '../blobs/manifest.js';
import { lastBatchOf } from '../blobs/manifest-file.js';
import { NotABlob } from '../blobs/mistakes.js';
import { SlaveTree } from '../blobs/slave-tree.js';
import { IoFault } from '../io/fault.js';
import type { Window } from '../pipeline/window.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';

/** What a promotion has found about the slave's blobs. */
export interface LastBlobs {
  readonly directory: string;
  /** Blobs of the claim, and those that the master did not have. */
  readonly count: number;
  readonly missing: number;
  /** Blobs of the last batch whose files were checked, and what is wrong with some. */
  readonly checked: number;
  readonly problems: readonly string[];
}

/** A takeover does not wait for a large tree: beyond this many files or bytes, or this time, nothing more is checked. */
const MOST_FILES = 1000;
const MOST_HASHED = 64 << 20;
const MOST_MS = 500;
const MOST_NAMED = 10;

/**
 * Checks the blobs of the batch that was copied last: the ones that a crash could have caught. Writes
 * nothing but a `.layout` that is missing.
 */
export function checkLastBlobs(paths: SlavePaths, claim: BlobsClaim, window: Window): LastBlobs {
  const { directory, count, missing } = claim;
  const result = (checked: number, problems: readonly string[]): LastBlobs => {
    return { directory, count, missing, checked, problems: problems.slice(0, MOST_NAMED) };
  };
  const batch = lastBatchOf(paths.blobs, claim) ?? lastBatchOf(paths.freshBlobs, claim);
  if (!batch) return result(0, [`${paths.blobs} is not the list of blobs that the .dat names`]);
  try {
    const tree = SlaveTree.open(directory);
    settleLayout(tree, batch);
    if (!tree.layout && batch.length > 0) return result(0, [`${directory} has no blob; is its disk mounted?`]);
    return checkBatch(batch, tree, window, result);
  } catch (error) {
    if (!(error instanceof IoFault || error instanceof PathMistake || error instanceof NotABlob)) throw error;
    return result(0, [error.message]);
  }
}

/** Without the file .layout ZODB would take a bushy directory for a lawn. The newest blobs show what it is. */
function settleLayout(tree: SlaveTree, batch: readonly (readonly [BlobId, Copy])[]): void {
  if (tree.layout) return;
  for (const layout of ['bushy', 'lawn'] as const) {
    const isThere = batch.slice(0, MOST_FILES).some(([id]) => tree.factsAt(pathOf(id, layout)) !== undefined);
    if (isThere) return tree.settleLayout(layout);
  }
}

function checkBatch(
  batch: readonly (readonly [BlobId, Copy])[],
  tree: SlaveTree,
  window: Window,
  result: (checked: number, problems: readonly string[]) => LastBlobs,
): LastBlobs {
  const until = Date.now() + MOST_MS;
  const problems: string[] = [];
  let hashed = 0;
  let checked = 0;
  for (const [id, copy] of batch.slice(0, MOST_FILES)) {
    if (Date.now() > until) break;
    if (copy === 'missing') continue;
    checked++;
    const name = pathOf(id, tree.layout ?? 'bushy');
    const found = tree.find(id);
    if (!found) problems.push(`${name} is missing`);
    else if (found.size !== copy.length) problems.push(`${name} has ${found.size} bytes, not ${copy.length}`);
    else if (hashed + copy.length <= MOST_HASHED) {
      hashed += copy.length;
      if (tree.hash(found.relative, window) !== copy.hash) problems.push(`${name} has other bytes than were copied`);
    }
  }
  return result(checked, problems);
}
