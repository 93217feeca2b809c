/**
 * The sum of a collection of records, each an oid and a position: their count, and 64 bits that depend on all of them.
 * Sums of parts can be computed in any order, added and subtracted.
 *
 * Three rounds of a Feistel network spread each record over 64 bits. So no typical error of a file (two positions
 * exchanged, a bit flipped, a record missing) gives the same sum, except with a probability of 2^-64.
 */
export interface RecordSumValue {
  readonly count: number;
  readonly left: number;
  readonly right: number;
}

const [OID_HIGH, POSITION_HIGH] = [0x9e3779b1, 0x85ebca77] as const;
const [FIRST, SECOND, THIRD] = [0x2545f491, 0x6c8e9cf5, 0x1b873593] as const;

export class RecordSum implements RecordSumValue {
  count = 0;
  left = 0;
  right = 0;
  /** The two halves of the last record's spread value. */
  lastLeft = 0;
  lastRight = 0;

  add(oidHigh: number, oidLow: number, position: number): void {
    this.spread(oidHigh, oidLow, position);
    this.count++;
    this.left = (this.left + this.lastLeft) | 0;
    this.right = (this.right + this.lastRight) | 0;
  }

  takeAway(oidHigh: number, oidLow: number, position: number): void {
    this.spread(oidHigh, oidLow, position);
    this.count--;
    this.left = (this.left - this.lastLeft) | 0;
    this.right = (this.right - this.lastRight) | 0;
  }

  addSum({ count, left, right }: RecordSumValue): void {
    this.count += count;
    this.left = (this.left + left) | 0;
    this.right = (this.right + right) | 0;
  }

  get value(): RecordSumValue {
    const { count, left, right } = this;
    return { count, left, right };
  }

  equals({ count, left, right }: RecordSumValue): boolean {
    return this.count === count && this.left === left && this.right === right;
  }

  private spread(oidHigh: number, oidLow: number, position: number): void {
    let left = oidLow ^ Math.imul(oidHigh, OID_HIGH);
    let right = position ^ Math.imul(position / 0x1_0000_0000, POSITION_HIGH);
    left ^= round(right ^ FIRST);
    right ^= round(left ^ SECOND);
    left ^= round(right ^ THIRD);
    this.lastLeft = left;
    this.lastRight = right;
  }
}

/** Murmur3's finalizer: every bit of the result depends on every bit of the number. */
function round(number: number): number {
  let h = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
