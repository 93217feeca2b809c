import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { ENTRY_WORDS, wordsOf } from '../pipeline/record-tape.js';
import type { RecordReader } from './records-pass.js';

/** Makes the index of all that it is told, from a file's first transaction on. */
export interface IndexMaker extends RecordReader {
  /** Nothing more will be told. */
  allAdded(): void;
  /**
   * The bytes of an index of all transactions before `end`; each piece holds until the next one is asked for, which may throw
   * IndexLost. undefined: what was told does not give it.
   */
  pieces(end: number): Iterable<Uint8Array> | undefined;
  close(): Promise<void>;
}

/** The index that was being made is gone; it can be made anew by reading the file. */
export class IndexLost extends Error {
  override readonly name = 'IndexLost';
  constructor() {
    super('the thread that makes the index has ended');
  }
}

/** Records of one transaction that are kept back until it is whole. */
const MOST_KEPT_BACK = 1 << 20;

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
  /** The records of a transaction whose end has not been told yet. */
  private keptBack: Float64Array[] = [];
  private entriesKeptBack = 0;
  private tookEarly = false;

  /** Goes on with the index of all transactions before `start`; begins with nothing otherwise. */
  constructor(
    readonly index = new ObjectIndex(),
    private readonly start = MAGIC_LENGTH,
    public end = start,
  ) {}

  take(piece: Uint8Array): void {
    const words = wordsOf(piece);
    const whole = endOfLastTransaction(words);
    if (whole > 0) {
      this.takeInKeptBack();
      this.takeIn(words, whole);
      this.tookEarly = false;
    }
    if (whole < words.length) this.keepBack(words.slice(whole));
  }

  goBackTo(): void {
    this.keptBack = [];
    this.entriesKeptBack = 0;
    if (this.tookEarly) this.spoiled = true;
  }

  private keepBack(words: Float64Array): void {
    this.keptBack.push(words);
    this.entriesKeptBack += words.length / ENTRY_WORDS;
    if (this.entriesKeptBack < MOST_KEPT_BACK) return;
    this.takeInKeptBack();
    this.tookEarly = true;
  }

  private takeInKeptBack(): void {
    for (const words of this.keptBack) this.takeIn(words, words.length);
    this.keptBack = [];
    this.entriesKeptBack = 0;
  }

  /** Takes in the words before number `to`: once a record, beside the writes of a copy. */
  private takeIn(words: Float64Array, to: number): void {
    const { index, start } = this;
    for (let at = 0; at < to; at += ENTRY_WORDS) {
      const position = words[at] ?? 0;
      if (position < 0) {
        this.end = -position;
        continue;
      }
      const known = index.set(words[at + 1] ?? 0, words[at + 2] ?? 0, position);
      const previous = words[at + 3] ?? 0;
      if (previous < start && known !== previous && known < start && previous > 0) this.contradicted = true;
    }
  }
}

/** The number of words up to the end of the last transaction that ends in them. */
function endOfLastTransaction(words: Float64Array): number {
  let end = words.length;
  while (end > 0 && (words[end - ENTRY_WORDS] ?? 0) > 0) end -= ENTRY_WORDS;
  return end;
}
