/** Slots of a segment, which is 224 KiB of memory. */
const SEGMENT_SLOTS = 1 << 15;

/** Memory for slots of seven bytes: the last byte of an oid and a position of 48 bits. */
export class Segment {
  readonly suffixes = new Uint8Array(SEGMENT_SLOTS);
  readonly low = new Uint32Array(SEGMENT_SLOTS);
  readonly high = new Uint16Array(SEGMENT_SLOTS);

  position(slot: number): number {
    return (this.high[slot] ?? 0) * 0x1_0000_0000 + (this.low[slot] ?? 0);
  }

  put(slot: number, suffix: number, position: number): void {
    this.suffixes[slot] = suffix;
    // A Uint32Array stores the lower 32 bits of a number; `%` would cost more than everything else here.
    this.low[slot] = position;
    this.high[slot] = position / 0x1_0000_0000;
  }

  /**
   * Moves the slots from `slot` up to `end` by one. Copies slot by slot, as `copy` does, because most ranges are short.
   */
  shift(slot: number, end: number): void {
    const { suffixes, low, high } = this;
    for (let to = end; to > slot; to--) {
      suffixes[to] = suffixes[to - 1] ?? 0;
      low[to] = low[to - 1] ?? 0;
      high[to] = high[to - 1] ?? 0;
    }
  }

  /** Copies `count` slots from `other`, which may be this segment. */
  copy(slot: number, other: Segment, from: number, count: number): void {
    const { suffixes, low, high } = this;
    for (let n = 0; n < count; n++) {
      suffixes[slot + n] = other.suffixes[from + n] ?? 0;
      low[slot + n] = other.low[from + n] ?? 0;
      high[slot + n] = other.high[from + n] ?? 0;
    }
  }
}

/**
 * Blocks of one size, contiguous in segments. Unused segments go to `spare`, which all sizes share: while an index
 * grows, its blocks move from size to size.
 */
export class BlockRow {
  count = 0;
  private readonly segments: Segment[] = [];
  private readonly perSegment: number;

  constructor(
    readonly blockSlots: number,
    private readonly spare: Segment[],
  ) {
    this.perSegment = Math.floor(SEGMENT_SLOTS / blockSlots);
  }

  /** Number of a new block. Its slots are not initialised. */
  append(): number {
    if (this.count === this.segments.length * this.perSegment) this.segments.push(this.spare.pop() ?? new Segment());
    return this.count++;
  }

  dropLast(): void {
    this.count--;
    // Keeps one spare segment, so that a row that alternates around a boundary does not allocate each time.
    if (this.count + 2 * this.perSegment > this.segments.length * this.perSegment) return;
    const unused = this.segments.pop();
    if (unused) this.spare.push(unused);
  }

  segment(block: number): Segment {
    const segment = this.segments[Math.floor(block / this.perSegment)];
    if (!segment) throw new RangeError(`there is no block ${block}`);
    return segment;
  }

  /** The block's first slot in its segment. */
  slot(block: number): number {
    return (block % this.perSegment) * this.blockSlots;
  }
}
