import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { ENTRY_WORDS, wordsOf } from '../pipeline/record-tape.js';
import type { RecordReader } from './records-pass.js';

/** Builds an index from the records that it receives, from a file's first transaction on. */
export interface IndexMaker extends RecordReader {
  /** No records follow. */
  allAdded(): void;
  /**
   * The bytes of an index of all transactions before `end`. Each piece is valid until the next one is requested, which
   * may throw IndexLost. undefined: the received records do not give that index.
   */
  pieces(end: number): Iterable<Uint8Array> | undefined;
  close(): Promise<void>;
}

/** The index under construction is lost. It can be rebuilt by reading the file. */
export class IndexLost extends Error {
  override readonly name = 'IndexLost';
  constructor() {
    super('the thread that makes the index has ended');
  }
}

/** Records of one transaction that are kept back until it is complete. */
const MOST_KEPT_BACK = 1 << 20;

/**
 * Builds the index of the records of a walk, as ZODB's read_index does: the newest record of each object counts, even
 * if it undoes the object's creation. Records count once their transaction is complete.
 *
 * Invariant: unless `spoiled`, `index` is that of the transactions before `end`. To bound memory, the first records of
 * a transaction with more than a million of them are added before it ends. If it then breaks off, the index is spoiled.
 */
export class IndexBuilder implements RecordReader {
  spoiled = false;
  /** A record names another previous record than the initial index does: that index belongs to other bytes. */
  contradicted = false;
  /** The records of a transaction whose end has not been received. */
  private keptBack: Float64Array[] = [];
  private entriesKeptBack = 0;
  private addedEarly = false;

  /** Continues the index of all transactions before `start`; starts empty by default. */
  constructor(
    readonly index = new ObjectIndex(),
    private readonly start = MAGIC_LENGTH,
    public end = start,
  ) {}

  take(piece: Uint8Array): void {
    const words = wordsOf(piece);
    const complete = endOfLastTransaction(words);
    if (complete > 0) {
      this.addKeptBack();
      this.addWords(words, complete);
      this.addedEarly = false;
    }
    if (complete < words.length) this.keepBack(words.slice(complete));
  }

  goBackTo(): void {
    this.keptBack = [];
    this.entriesKeptBack = 0;
    if (this.addedEarly) this.spoiled = true;
  }

  private keepBack(words: Float64Array): void {
    this.keptBack.push(words);
    this.entriesKeptBack += words.length / ENTRY_WORDS;
    if (this.entriesKeptBack < MOST_KEPT_BACK) return;
    this.addKeptBack();
    this.addedEarly = true;
  }

  private addKeptBack(): void {
    for (const words of this.keptBack) this.addWords(words, words.length);
    this.keptBack = [];
    this.entriesKeptBack = 0;
  }

  /** Adds the words before number `to`. Runs once a record during the writes of a copy, so it must be cheap. */
  private addWords(words: Float64Array, to: number): void {
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
