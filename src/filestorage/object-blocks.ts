import type { IndexBucket } from './index-bucket.js';
import { BlockRow, type Segment } from './object-segments.js';

/**
 * How many objects a block has room for: each size a quarter more than the one before, so that little is left unused. A group
 * with more of them costs less with a place for each of its oids (DenseGroups).
 */
const CAPACITIES = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24, 30, 38, 47, 59, 74, 93, 117, 147] as const;
export const LARGEST_SIZE = CAPACITIES.length - 1;

/** What came of putting an object into a block. */
export enum Put {
  Replaced,
  Added,
  /** The block has no room: it has to grow first. */
  Full,
}

/**
 * Blocks of (last byte of the oid, position) in sizes: seven bytes an object, and what is not used of a block.
 *
 * Invariants:
 *  - The blocks of a size lie back to back: the place of one that has grown into the next size is taken by the last one of
 *    its size, whose owner is told (`moved`). So nothing is lost between blocks, in whatever order they grow.
 *  - A block's first slot is its head: its owner, and the number of its objects less one. The last bytes ascend.
 */
export class ObjectBlocks {
  /** Number of objects in all blocks. */
  objects = 0;
  /** The position that the last `put` has replaced, if it did. */
  replaced = 0;
  private readonly spare: Segment[] = [];
  private readonly rows = CAPACITIES.map((capacity) => new BlockRow(capacity + 1, this.spare));

  constructor(private readonly moved: (owner: number, block: number) => void) {}

  /** A new block of size 0 with one object. */
  create(owner: number, suffix: number, position: number): number {
    const row = this.row(0);
    const block = row.append();
    const segment = row.segment(block);
    const head = row.slot(block);
    segment.put(head, 0, owner);
    segment.put(head + 1, suffix, position);
    this.objects++;
    return block;
  }

  setOwner(size: number, block: number, owner: number): void {
    const row = this.row(size);
    row.segment(block).low[row.slot(block)] = owner;
  }

  /** Position of the object; 0 for none. */
  get(size: number, block: number, suffix: number): number {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const slot = find(segment, head, suffix);
    return segment.suffixes[slot] === suffix && slot <= head + count(segment, head) ? segment.position(slot) : 0;
  }

  put(size: number, block: number, suffix: number, position: number): Put {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const objects = count(segment, head);
    const slot = find(segment, head, suffix);
    if (slot <= head + objects && segment.suffixes[slot] === suffix) {
      this.replaced = segment.position(slot);
      segment.put(slot, suffix, position);
      return Put.Replaced;
    }
    if (objects + 2 > row.blockSlots) return Put.Full;
    segment.shift(slot, head + 1 + objects);
    segment.suffixes[head] = objects;
    segment.put(slot, suffix, position);
    this.objects++;
    return Put.Added;
  }

  /** Moves a full block into the next size; its number there. */
  grow(size: number, block: number): number {
    const from = this.row(size);
    const to = this.row(size + 1);
    const grown = to.append();
    const old = from.segment(block);
    const head = from.slot(block);
    to.segment(grown).copy(to.slot(grown), old, head, count(old, head) + 1);
    this.fill(from, block);
    return grown;
  }

  /** Takes a block away; `visit` is told each of its objects. */
  dissolve(size: number, block: number, visit: (suffix: number, position: number) => void): void {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const objects = count(segment, head);
    for (let slot = head + 1; slot <= head + objects; slot++) {
      visit(segment.suffixes[slot] ?? 0, segment.position(slot));
    }
    this.objects -= objects;
    this.fill(row, block);
  }

  /** Adds a block's objects to a bucket, in which the oids of its group begin at `base`. */
  addTo(bucket: IndexBucket, base: number, size: number, block: number): void {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const last = head + count(segment, head);
    for (let slot = head + 1; slot <= last; slot++) {
      bucket.add(base + (segment.suffixes[slot] ?? 0), segment.position(slot));
    }
  }

  /** Fills the place of a block that has moved away with the last one of its size. */
  private fill(row: BlockRow, block: number): void {
    const last = row.count - 1;
    if (block !== last) {
      const segment = row.segment(block);
      const head = row.slot(block);
      segment.copy(head, row.segment(last), row.slot(last), row.blockSlots);
      this.moved(segment.low[head] ?? 0, block);
    }
    row.dropLast();
  }

  private row(size: number): BlockRow {
    const row = this.rows[size];
    if (!row) throw new RangeError(`there are no blocks of size ${size}`);
    return row;
  }
}

function count(segment: Segment, head: number): number {
  return (segment.suffixes[head] ?? 0) + 1;
}

/** The first slot of a block whose last byte is not below `suffix`; the slot behind the last one when all are. */
function find(segment: Segment, head: number, suffix: number): number {
  const { suffixes } = segment;
  let low = head + 1;
  let high = low + count(segment, head);
  // Most objects are told in the order in which they were made.
  if ((suffixes[high - 1] ?? 0) < suffix) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((suffixes[middle] ?? 0) < suffix) low = middle + 1;
    else high = middle;
  }
  return low;
}
