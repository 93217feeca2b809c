import { TRAILER_LENGTH } from '../filestorage/layout.js';
import type { WalkEvents } from '../filestorage/walk-options.js';

/**
 * A tape: the records that a walk finds, as numbers that the main thread reads from shared memory. An entry has four
 * words:
 *
 * ```
 * a record          its position, the upper and the lower half of its oid, the position of its previous record
 * a transaction     the position behind it, negative, which no record has; behind its records, once it is validated
 * ```
 */
export const ENTRY_WORDS = 4;
const MOST_ENTRIES = 1 << 13;
/** Largest size of a piece, in bytes. */
export const LONGEST_TAPE = MOST_ENTRIES * ENTRY_WORDS * Float64Array.BYTES_PER_ELEMENT;

/** Receives the records that a walk finds. */
export interface TapeReader {
  /**
   * Takes the next piece: complete entries, in file order, valid until it returns. Records of a transaction that breaks
   * off have no transaction entry.
   */
  take(piece: Uint8Array): void;
}

/** Writes the calls of its `events` as entries, and emits them piece by piece. */
export class RecordTape {
  readonly events: WalkEvents;
  private readonly words: Float64Array;
  private used = 0;

  /** `emit` receives pieces of at most `pieceBytes` bytes, complete entries each, and owns them until it returns. */
  constructor(
    pieceBytes: number,
    private readonly emit: (piece: Uint8Array) => void,
  ) {
    const entries = Math.min(MOST_ENTRIES, Math.floor(pieceBytes / (ENTRY_WORDS * Float64Array.BYTES_PER_ELEMENT)));
    this.words = new Float64Array(entries * ENTRY_WORDS);
    this.events = {
      onRecord: (position, oidHigh, oidLow, previous) => this.put(position, oidHigh, oidLow, previous),
      onTransaction: (position, length) => this.put(-(position + length + TRAILER_LENGTH), 0, 0, 0),
    };
  }

  /** Emits the remaining entries. */
  flush(): void {
    if (this.used > 0) this.emit(new Uint8Array(this.words.buffer, 0, this.used * Float64Array.BYTES_PER_ELEMENT));
    this.used = 0;
  }

  private put(a: number, b: number, c: number, d: number): void {
    const { words, used } = this;
    words[used] = a;
    words[used + 1] = b;
    words[used + 2] = c;
    words[used + 3] = d;
    this.used = used + ENTRY_WORDS;
    if (this.used === words.length) this.flush();
  }
}

/** The words of a piece of a tape, which begins at a multiple of 8 in its memory. */
export function wordsOf(piece: Uint8Array): Float64Array {
  return new Float64Array(piece.buffer, piece.byteOffset, piece.length / Float64Array.BYTES_PER_ELEMENT);
}
