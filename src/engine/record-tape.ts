import type { WalkEvents } from '../filestorage/walk-options.js';

/**
 * A tape: what a walk tells in a worker, as numbers that the main thread reads from shared memory. Each entry has six
 * words; a transaction's begins with its negative position, which no record has.
 */
const WORDS = 6;
const MOST_ENTRIES = 1 << 13;
const LOWER_HALF = 0xffff_ffffn;

/** Writes what its `events` are told, and hands it on piece by piece. */
export class RecordTape {
  readonly events: WalkEvents;
  private readonly words: Float64Array;
  private used = 0;

  /** `emit` takes pieces of at most `pieceBytes` bytes, whole entries each; they are its own until it returns. */
  constructor(
    pieceBytes: number,
    private readonly emit: (piece: Uint8Array) => void,
  ) {
    const entries = Math.min(MOST_ENTRIES, Math.floor(pieceBytes / (WORDS * Float64Array.BYTES_PER_ELEMENT)));
    this.words = new Float64Array(entries * WORDS);
    this.events = {
      onRecord: (position, oidHigh, oidLow, previous, dataLength, backPointer) =>
        this.put(position, oidHigh, oidLow, previous, dataLength, backPointer),
      onTransaction: (position, length, tid, status) =>
        this.put(-position, length, Number(tid >> 32n), Number(tid & LOWER_HALF), status, 0),
    };
  }

  /** Hands on what there is. */
  flush(): void {
    if (this.used > 0) this.emit(new Uint8Array(this.words.buffer, 0, this.used * Float64Array.BYTES_PER_ELEMENT));
    this.used = 0;
  }

  private put(a: number, b: number, c: number, d: number, e: number, f: number): void {
    const { words, used } = this;
    words[used] = a;
    words[used + 1] = b;
    words[used + 2] = c;
    words[used + 3] = d;
    words[used + 4] = e;
    words[used + 5] = f;
    this.used = used + WORDS;
    if (this.used === words.length) this.flush();
  }
}

/** Tells `events` what a piece of a tape says, as the walk would have. The piece begins at a multiple of 8 in its memory. */
export function replay(piece: Uint8Array, events: WalkEvents): void {
  const words = new Float64Array(
    piece.buffer,
    piece.byteOffset,
    Math.floor(piece.length / Float64Array.BYTES_PER_ELEMENT),
  );
  const word = (at: number): number => words[at] ?? 0;
  for (let at = 0; at < words.length; at += WORDS) {
    const first = word(at);
    if (first > 0) {
      events.onRecord?.(first, word(at + 1), word(at + 2), word(at + 3), word(at + 4), word(at + 5));
    } else {
      const tid = (BigInt(word(at + 2)) << 32n) | BigInt(word(at + 3));
      events.onTransaction?.(-first, word(at + 1), tid, word(at + 4));
    }
  }
}
