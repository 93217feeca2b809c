import { MAGIC_LENGTH, TRAILER_LENGTH } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import type { RecordReader } from './records-pass.js';

/** Records of one transaction that are kept back until it is whole. */
const MOST_KEPT_BACK = 1 << 20;
const FEWEST_KEPT_BACK = 1 << 8;
const WORDS = 3;

/**
 * Makes the index of what a walk tells, as ZODB's read_index does: the newest record of each object counts, an undone
 * creation too, and records count when their transaction is whole.
 *
 * Invariant: unless `spoiled`, `index` is that of the transactions before `end`. Of a transaction with more than a million
 * records the first ones are taken in before its end, so that memory is bounded; should it break off, the index is spoiled.
 */
export class IndexBuilder implements RecordReader {
  spoiled = false;
  /** A record has another previous record than the index that this one began with: that index is of other bytes. */
  contradicted = false;
  readonly events: WalkEvents;
  private keptBack = new Float64Array(WORDS * FEWEST_KEPT_BACK);
  private used = 0;
  private tookEarly = false;

  /** Goes on with the index of all transactions before `start`; begins with nothing otherwise. */
  constructor(
    readonly index = new ObjectIndex(),
    private readonly start = MAGIC_LENGTH,
    public end = start,
  ) {
    this.events = {
      onRecord: (position, oidHigh, oidLow, previous) => {
        if (previous > 0 && previous < this.start) this.compare(oidHigh, oidLow, previous);
        this.keepBack(position, oidHigh, oidLow);
      },
      onTransaction: (position, length) => {
        this.takeIn();
        this.tookEarly = false;
        this.end = position + length + TRAILER_LENGTH;
      },
    };
  }

  goBackTo(): void {
    this.used = 0;
    if (this.tookEarly) this.spoiled = true;
  }

  private compare(oidHigh: number, oidLow: number, previous: number): void {
    const known = this.index.get(oidHigh, oidLow);
    if (known !== previous && known < this.start) this.contradicted = true;
  }

  private keepBack(position: number, oidHigh: number, oidLow: number): void {
    if (this.used === this.keptBack.length) this.makeRoom();
    this.keptBack[this.used] = position;
    this.keptBack[this.used + 1] = oidHigh;
    this.keptBack[this.used + 2] = oidLow;
    this.used += WORDS;
  }

  private makeRoom(): void {
    if (this.used >= WORDS * MOST_KEPT_BACK) {
      this.takeIn();
      this.tookEarly = true;
      return;
    }
    const larger = new Float64Array(2 * this.keptBack.length);
    larger.set(this.keptBack);
    this.keptBack = larger;
  }

  private takeIn(): void {
    const { keptBack, index } = this;
    for (let at = 0; at < this.used; at += WORDS) {
      index.set(keptBack[at + 1] ?? 0, keptBack[at + 2] ?? 0, keptBack[at] ?? 0);
    }
    this.used = 0;
  }
}
