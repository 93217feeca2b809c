import type { IndexBucket } from './index-bucket.js';
import { BlockRow, type Segment } from './object-segments.js';

/**
 * Number of objects in a block of each size. A size is about a quarter larger than the one before, so that little space
 * is unused. For a group with more objects, a slot for every oid is cheaper (DenseGroups).
 */
const CAPACITIES = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24, 30, 38, 47, 59, 74, 93, 117, 147] as const;
export const LARGEST_SIZE = CAPACITIES.length - 1;

/** The result of putting an object into a block. */
export enum Put {
  Replaced,
  Added,
  /** The block has no free slot and has to grow first. */
  Full,
}

/**
 * Blocks of (last byte of the oid, position), in fixed sizes: seven bytes per object, plus the unused slots.
 *
 * Invariants:
 *  - The blocks of a size are contiguous. When a block grows into the next size, the last block of its size moves into
 *    its place, and `moved` reports that to the owner. So no memory is lost between blocks, in whatever order they
 *    grow.
 *  - A block's first slot is its head: its owner, and the number of its objects minus one. The last bytes ascend.
 */
export class ObjectBlocks {
  /** Number of objects in all blocks. */
  objects = 0;
  /** The position that the last `put` replaced, if it returned Replaced. */
  replaced = 0;
  private readonly spare: Segment[] = [];
  private readonly rows = CAPACITIES.map((capacity) => new BlockRow(capacity + 1, this.spare));

  constructor(private readonly moved: (owner: number, block: number) => void) {}

  /** Creates a block of size 0 with one object. */
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

  /** Moves a full block into the next size. Returns its number there. */
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

  /** Removes a block; calls `visit` for each of its objects. */
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

  /** Adds a block's objects to a bucket. The group's suffixes begin at `base`. */
  addTo(bucket: IndexBucket, base: number, size: number, block: number): void {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const last = head + count(segment, head);
    for (let slot = head + 1; slot <= last; slot++) {
      bucket.add(base + (segment.suffixes[slot] ?? 0), segment.position(slot));
    }
  }

  /** Moves the last block of a size into the place of one that has left. */
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

/** The first slot of a block whose last byte is not below `suffix`; the slot after the last one when all are below. */
function find(segment: Segment, head: number, suffix: number): number {
  const { suffixes } = segment;
  let low = head + 1;
  let high = low + count(segment, head);
  // Most objects arrive in ascending order.
  if ((suffixes[high - 1] ?? 0) < suffix) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((suffixes[middle] ?? 0) < suffix) low = middle + 1;
    else high = middle;
  }
  return low;
}
