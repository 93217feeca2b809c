import { RecordSum, type RecordSumValue } from '../filestorage/record-sum.js';
import type { PieceEvents } from './piece.js';

/** Records with a previous one that are remembered, to know an object that occurs twice in a transaction. */
const REMEMBERED = 4096;

/**
 * What is left of a piece's records when each takes away the one that its previous pointer names. Over a whole file, if all
 * previous pointers are right, the newest record of each object is left: what `Data.fs.index` holds. So the sum of the
 * index proves the pointers, and these prove the index, without any memory for objects.
 *
 * Why there is no other way to the same sum: of an object's n records, as many are named by later ones as not, and each at
 * most once; every pointer leads to a lower place; so, one after the other from the lowest on, each can only name the one just
 * before it, and the last is left, which the index has.
 *
 * Where a transaction holds an object twice (several undos in one), both of its records name the one before the
 * transaction: the second one is taken as naming the first. What this does not know (a packed record with an older one) leaves
 * another sum, and whoever gets that has to look more closely.
 */
export class PointerBalance implements PieceEvents {
  private readonly sum = new RecordSum();
  private unsure = false;
  /** By the spread of object and previous record: that spread, and where the record that named it stands. */
  private readonly lefts = new Int32Array(REMEMBERED);
  private readonly rights = new Int32Array(REMEMBERED);
  private readonly positions = new Float64Array(REMEMBERED);

  /** `boundary`: where the piece begins. */
  constructor(private boundary: number) {}

  record(position: number, oidHigh: number, oidLow: number, previous: number): void {
    const { sum } = this;
    sum.add(oidHigh, oidLow, position);
    if (previous === 0) return;
    if (previous >= this.boundary) this.unsure = true;
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
    this.unsure = true;
  }

  /** undefined: the piece has something that no sum can tell. */
  get value(): RecordSumValue | undefined {
    return this.unsure ? undefined : this.sum.value;
  }
}
