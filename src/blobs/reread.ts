import type { OpenFile } from '../io/open-file.js';
import type { Window } from '../pipeline/window.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';

import type { BlobId } from './layout.js';
import { type Copy, ITEM } from './manifest.js';
import { readItems } from './manifest-file.js';
import { NotABlob } from './mistakes.js';
import type { SlaveTree } from './slave-tree.js';

/** Where a scrub of blobs has come: an item of the manifest, and bytes of that blob whose hash `state` is. */
export interface RereadPlace {
  readonly item: number;
  readonly offset: number;
  readonly state: string;
}

export const REREAD_START: RereadPlace = { item: 0, offset: 0, state: '' };

export interface Reread {
  /** undefined: the end of the manifest is reached. */
  readonly next: RereadPlace | undefined;
  readonly bytes: number;
  /** Blobs whose file is not there, or not as it was copied. */
  readonly bad: readonly (readonly [BlobId, Exclude<Copy, 'missing'>])[];
}

const ITEMS_AT_ONCE = 256;
/** What it costs to open a file, in bytes that could be read instead: blobs may be many and small. */
const FILE_COST = 1 << 14;

/**
 * Reads some of the slave's blobs again and compares them with their recorded hashes, in the order of the manifest. A
 * large one is continued by the next call.
 *
 * @param amount bytes to read, of which a short file costs FILE_COST; Infinity: all of them
 */
export async function reread(
  manifestPath: string,
  claim: BlobsClaim,
  tree: SlaveTree,
  from: RereadPlace,
  amount: number,
  window: Window,
): Promise<Reread> {
  const bad: (readonly [BlobId, Exclude<Copy, 'missing'>])[] = [];
  let { item, offset, state } = from;
  let bytes = 0;
  let spent = 0;
  for (;;) {
    const items = readItems(manifestPath, item, Math.min(ITEMS_AT_ONCE, claim.length / ITEM - item));
    if (items.length === 0) return { next: undefined, bytes, bad };
    for (const entry of items) {
      if (spent >= amount) return { next: { item, offset, state }, bytes, bad };
      const [id, copy] = entry ?? [];
      if (id && copy && copy !== 'missing') {
        const read = await readOn(id, copy, { item, offset, state }, tree, amount - spent, window);
        bytes += read.bytes;
        spent += Math.max(read.bytes, FILE_COST);
        if (typeof read.state === 'string')
          return { next: { item, offset: offset + read.bytes, state: read.state }, bytes, bad };
        if (!read.right) bad.push([id, copy]);
      }
      item++;
      offset = 0;
      state = '';
    }
  }
}

/** `state`: the blob is not read to its end yet. */
async function readOn(
  id: BlobId,
  { length, hash }: Exclude<Copy, 'missing'>,
  { offset, state }: RereadPlace,
  tree: SlaveTree,
  amount: number,
  window: Window,
): Promise<{ readonly bytes: number; readonly right: boolean; readonly state?: string }> {
  const file = openRight(id, length, tree);
  if (!file) return { bytes: 0, right: false };
  try {
    if (offset === 0) window.reset();
    else window.restore(state, offset);
    const until = Math.min(length, offset + amount);
    let position = offset;
    while (position < until) {
      const count = await file.readLater(window.bytes, Math.min(window.size, until - position), position);
      if (count === 0) return { bytes: position - offset, right: false };
      window.add(0, count);
      position += count;
    }
    const done = { bytes: position - offset, right: BigInt(`0x${window.digest()}`) === hash };
    return position < length ? { ...done, state: window.save() } : done;
  } finally {
    file.closeQuietly();
  }
}

function openRight(id: BlobId, length: number, tree: SlaveTree): OpenFile | undefined {
  try {
    const found = tree.find(id);
    return found?.size === length ? tree.openToRead(found.relative) : undefined;
  } catch (error) {
    if (error instanceof NotABlob) return undefined;
    throw error;
  }
}
