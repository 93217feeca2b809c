import { BlockRow, type Segment } from './object-segments.js';

/** Oids that share a block: those that differ in their last byte only. */
export const GROUP_SIZE = 256;

/**
 * How many objects a block has room for: each size a quarter more than the one before, so that little is left unused. From
 * 184 of 256 on, a place for each of them costs less than naming those that are there.
 */
const CAPACITIES = [
  1,
  2,
  3,
  4,
  5,
  6,
  8,
  10,
  12,
  15,
  19,
  24,
  30,
  38,
  47,
  59,
  74,
  93,
  117,
  147,
  184,
  GROUP_SIZE,
] as const;
const DENSE = CAPACITIES.length - 1;

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
 *  - A block's first slot is its head: its owner, and the number of its objects less one. In a dense block an object's slot
 *    is its last byte, and position 0 says that it is not there; in all others the last bytes ascend.
 */
export class ObjectBlocks {
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
    if (size === DENSE) return segment.position(head + 1 + suffix);
    const slot = find(segment, head, suffix);
    return segment.suffixes[slot] === suffix && slot <= head + count(segment, head) ? segment.position(slot) : 0;
  }

  put(size: number, block: number, suffix: number, position: number): Put {
    const row = this.row(size);
    const segment = row.segment(block);
    const head = row.slot(block);
    const objects = count(segment, head);
    const slot = size === DENSE ? head + 1 + suffix : find(segment, head, suffix);
    const there =
      size === DENSE ? segment.position(slot) > 0 : slot <= head + objects && segment.suffixes[slot] === suffix;
    if (!there) {
      if (size !== DENSE) {
        if (objects + 2 > row.blockSlots) return Put.Full;
        segment.shift(slot, head + 1 + objects);
      }
      segment.suffixes[head] = objects;
    } else this.replaced = segment.position(slot);
    segment.put(slot, suffix, position);
    return there ? Put.Replaced : Put.Added;
  }

  /** Moves a full block into the next size; its number there. */
  grow(size: number, block: number): number {
    const from = this.row(size);
    const to = this.row(size + 1);
    const grown = to.append();
    const old = from.segment(block);
    const oldHead = from.slot(block);
    const segment = to.segment(grown);
    const head = to.slot(grown);
    const objects = count(old, oldHead);
    if (size + 1 === DENSE) {
      segment.copy(head, old, oldHead, 1);
      segment.clear(head + 1, GROUP_SIZE);
      for (let slot = oldHead + 1; slot <= oldHead + objects; slot++) {
        const suffix = old.suffixes[slot] ?? 0;
        segment.put(head + 1 + suffix, suffix, old.position(slot));
      }
    } else {
      segment.copy(head, old, oldHead, objects + 1);
    }
    this.fill(from, block);
    return grown;
  }

  /** Calls `visit` for each object of a block, the last bytes of their oids ascending. */
  each(size: number, block: number, visit: (suffix: number, position: number) => void): void {
    const row = this.row(size);
    const segment = row.segment(block);
    const first = row.slot(block) + 1;
    const end = size === DENSE ? first + GROUP_SIZE : first + count(segment, first - 1);
    for (let slot = first; slot < end; slot++) {
      const position = segment.position(slot);
      if (position > 0) visit(segment.suffixes[slot] ?? 0, position);
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

/** The first slot of a sparse block whose last byte is not below `suffix`; the slot behind the last one when all are. */
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
