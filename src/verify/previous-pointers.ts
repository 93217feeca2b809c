import type { ObjectIndex } from '../filestorage/object-index.js';
import { type Problem, Problems } from '../filestorage/problem.js';
import type { PieceEvents } from './piece.js';

/** Records of one transaction that are kept in case one of their objects occurs in it again. */
const RECORDS_KEPT = 1 << 20;
const GAPS_KEPT = 10_000;
const PREVIOUS_OFFSET = 16;

/**
 * Compares every previous pointer with the index as of its position, as ZODB's read_index does, and maintains that
 * index.
 *
 * A correct pointer names the object's newest record before the transaction. Where a transaction holds an object twice
 * (several undos in one), both of its records name the one before the transaction. A pack writes 0
 * (FileStoragePacker.writePackedDataRecord), so 0 is correct in a packed transaction. A pointer into damaged bytes
 * cannot be judged.
 */
export class PreviousPointers implements PieceEvents {
  /** Problems found since the last `take`. */
  private found = new Problems();
  /** Problems of the current transaction, whose status is not known yet. */
  private zeros = new Problems();
  private others = new Problems();
  private readonly gaps: { readonly from: number; to: number }[] = [];
  private records = 0;
  private positions = new Float64Array(1024);
  private previous = new Float64Array(1024);

  /** `boundary`: where the records begin; `index` holds everything before it. */
  constructor(
    private readonly index: ObjectIndex,
    private boundary = 0,
  ) {}

  record(position: number, oidHigh: number, oidLow: number, previous: number): void {
    const newest = this.index.set(oidHigh, oidLow, position);
    if (newest !== previous) this.judge(position, previous, newest);
    this.remember(position, previous);
  }

  transaction(end: number, packed: boolean): void {
    if (this.zeros.count > 0 || this.others.count > 0) {
      for (const { kept, count } of packed ? [this.others] : [this.zeros, this.others]) this.found.addAll(kept, count);
      this.forget();
    }
    this.boundary = end;
    this.records = 0;
  }

  gap(end: number): void {
    const last = this.gaps.at(-1);
    if (last && (last.to >= this.boundary || this.gaps.length === GAPS_KEPT)) last.to = end;
    else this.gaps.push({ from: this.boundary, to: end });
    this.boundary = end;
    this.records = 0;
    this.forget();
  }

  /** Problems found since the last call. */
  take(): Problems {
    const { found } = this;
    this.found = new Problems();
    return found;
  }

  private judge(position: number, previous: number, newest: number): void {
    const right = newest >= this.boundary && newest > 0 ? this.previousOf(newest) : newest;
    if (right === undefined || right === previous) return;
    if (this.isInGap(previous) || this.isInGap(right)) return;
    const problem: Problem = {
      position: position + PREVIOUS_OFFSET,
      within: this.boundary,
      tid: 0n,
      rule: 'previous-pointer',
      message: `previous pointer ${previous}, the object's record before stands at ${right}`,
      severity: 'warned',
    };
    (previous === 0 ? this.zeros : this.others).add(problem);
  }

  private remember(position: number, previous: number): void {
    if (this.records === RECORDS_KEPT) return;
    if (this.records === this.positions.length) {
      this.positions = doubled(this.positions);
      this.previous = doubled(this.previous);
    }
    this.positions[this.records] = position;
    this.previous[this.records] = previous;
    this.records++;
  }

  /** The previous pointer of a record of this transaction; undefined when it was not kept. */
  private previousOf(position: number): number | undefined {
    const at = countBelow(this.records, (n) => (this.positions[n] ?? 0) < position);
    return this.positions[at] === position && at < this.records ? this.previous[at] : undefined;
  }

  /** Whether a position lies in damaged bytes. */
  isInGap(position: number): boolean {
    const { gaps } = this;
    const gap = gaps[countBelow(gaps.length, (n) => (gaps[n]?.to ?? 0) <= position)];
    return gap !== undefined && position >= gap.from;
  }

  private forget(): void {
    this.zeros = new Problems();
    this.others = new Problems();
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}

/** Binary search: how many of `count` ascending items are below a limit. */
function countBelow(count: number, isBelow: (n: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
