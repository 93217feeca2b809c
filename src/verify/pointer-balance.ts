import { RecordSum, type RecordSumValue } from '../filestorage/record-sum.js';
import type { PieceEvents } from './piece.js';

/**
 * Number of recent records with a previous pointer that are kept, to detect an object that occurs twice in a
 * transaction.
 */
const REMEMBERED = 4096;

/**
 * The sum of a piece's records, minus the records that their previous pointers name. Over a whole file with correct
 * previous pointers, the newest record of each object remains, which is what `Data.fs.index` holds. So the sum of the
 * index proves the pointers, and the pointers prove the index, without any memory for objects.
 *
 * Why no wrong pointers give the same sum: of an object's n records, all but one must be named by later ones, each
 * exactly once. Every pointer leads to a lower position. So, in ascending order, each record can only name the one just
 * before it. The last one remains, and the index has that one.
 *
 * Where a transaction holds an object twice (several undos in one), both records name the one before the transaction;
 * the second is treated as if it named the first. Cases that this does not cover (a packed record with an older one)
 * give another sum, and then the exact judge has to decide.
 */
export class PointerBalance implements PieceEvents {
  private readonly sum = new RecordSum();
  private inconclusive = false;
  /** By the spread value of object and previous record: that value, and the position of the record that named it. */
  private readonly lefts = new Int32Array(REMEMBERED);
  private readonly rights = new Int32Array(REMEMBERED);
  private readonly positions = new Float64Array(REMEMBERED);

  /** `boundary`: start of the piece. */
  constructor(private boundary: number) {}

  record(position: number, oidHigh: number, oidLow: number, previous: number): void {
    const { sum } = this;
    sum.add(oidHigh, oidLow, position);
    if (previous === 0) return;
    if (previous >= this.boundary) this.inconclusive = true;
    sum.takeAway(oidHigh, oidLow, previous);
    const { lastLeft, lastRight } = sum;
    const slot = lastLeft & (REMEMBERED - 1);
    const before = this.positions[slot] ?? 0;
    if (before >= this.boundary && this.lefts[slot] === lastLeft && this.rights[slot] === lastRight) {
      sum.add(oidHigh, oidLow, previous);
      sum.takeAway(oidHigh, oidLow, before);
    }
    this.lefts[slot] = lastLeft;
    this.rights[slot] = lastRight;
    this.positions[slot] = position;
  }

  transaction(end: number): void {
    this.boundary = end;
  }

  gap(): void {
    this.inconclusive = true;
  }

  /** undefined: the piece has something that a sum cannot express. */
  get value(): RecordSumValue | undefined {
    return this.inconclusive ? undefined : this.sum.value;
  }
}
