import { milliseconds } from '../io/clock.js';
import { ownMemory } from '../io/page-memory.js';
import type { Window } from './window.js';

/**
 * How a file is read. All functions read up to `length` bytes at `position` into `into`; fewer only at the end of the
 * file.
 */
export interface Readings {
  /** Reads now; the caller has nothing else to do. */
  readonly now: (into: Uint8Array, length: number, position: number) => number | Promise<number>;
  /** Begins to read, in the thread pool. */
  readonly later: (into: Uint8Array, length: number, position: number) => Promise<number>;
  /** Waits for a read that was begun, as long as its deadline allows. */
  readonly wait: (count: Promise<number>, position: number) => Promise<number>;
  /** The file's size when it was opened. */
  readonly limit: number;
  /**
   * The end of the transactions that are known to be finished. Probes the file if the known end does not reach
   * `requested`; 0: not known. See finished-end.ts.
   */
  readonly finishedEnd: (requested: number) => Promise<number>;
  /** Where the reader will end. Nothing from there on is read ahead. */
  readonly until?: number | undefined;
}

/** A read that takes longer came over a network, or from a disk: other reads can wait in parallel. */
const SLOW_READ_MS = 2;
/** One slow read may be due to a busy machine; this many in a row are not. */
const SLOW_IN_A_ROW = 3;
/** Pieces under way at once. With 1 MiB each and 10 ms a read, that is some 800 MB/s. */
const DEPTH = 8;

/** A probe for the end of the finished transactions takes several reads itself. */
const READS_A_PROBE = 16;

/** Free buffers of this thread. One file follows the other, and new memory is expensive. */
const freeBuffers: Uint8Array[] = [];
/** Whether this thread's last reader was read ahead for: the next one then starts at once. */
let lastWasSlow = false;

interface Piece {
  readonly position: number;
  readonly length: number;
  readonly buffer: Uint8Array;
  readonly count: Promise<number>;
}

/**
 * Reads a file from its beginning to its end, by the reader's windows. If reads are slow and sequential, the next ones
 * are begun before they are requested: over a network the time of a read is waiting, and many reads can wait at once.
 *
 * Invariants:
 *  - A piece is begun only if all its bytes belong to transactions that were seen finished before. For others the
 *    status must be read first and the rest afterwards, because until then a vote may be aborted and another
 *    transaction written in its place. A piece begun earlier would hold the aborted one.
 *  - A piece is read into a private buffer, never into a window. `settle` must return before the file is closed,
 *    because a descriptor must not be closed under a read.
 *  - Memory is bounded by DEPTH pieces.
 */
export class ReadAhead {
  private readonly pieces: Piece[] = [];
  private slowReads = lastWasSlow ? SLOW_IN_A_ROW : 0;
  private expected = -1;
  private finishedEnd = 0;
  private readsToProbe = 0;
  /** Where the reader will end. */
  until: number;

  constructor(private readonly readings: Readings) {
    this.until = readings.until ?? readings.limit;
  }

  /** Like a plain read. Reads of one ReadAhead must not overlap. */
  async read(window: Window, length: number, position: number): Promise<number> {
    const follows = position === this.expected;
    this.expected = position + length;
    const piece = this.pieces[0];
    if (piece && piece.position === position && piece.length === length) return this.take(piece, window);
    await this.settle();
    const began = milliseconds();
    const count = await this.readings.now(window.bytes, length, position);
    const slow = milliseconds() - began > SLOW_READ_MS;
    this.slowReads = slow ? this.slowReads + 1 : 0;
    lastWasSlow = slow && this.slowReads >= SLOW_IN_A_ROW;
    if (follows && lastWasSlow) await this.fill(position + length, length);
    return count;
  }

  private async take(piece: Piece, window: Window): Promise<number> {
    const count = await this.readings.wait(piece.count, piece.position);
    window.bytes.set(piece.buffer.subarray(0, count));
    this.pieces.shift();
    freeBuffers.push(piece.buffer);
    const last = this.pieces.at(-1) ?? piece;
    await this.fill(last.position + last.length, piece.length);
    return count;
  }

  /** Begins the pieces from `position` on, as many as may be under way. */
  private async fill(position: number, pieceBytes: number): Promise<void> {
    const { later, limit } = this.readings;
    const until = Math.min(this.until, limit);
    for (let next = position; this.pieces.length < DEPTH && next < until; ) {
      const length = Math.min(pieceBytes, until - next);
      if (!(await this.isFinished(next + length))) return;
      const buffer = this.bufferOf(pieceBytes);
      const count = later(buffer, length, next);
      // The reader of the piece gets the error. A piece that is no longer needed may fail unnoticed.
      count.catch(() => {});
      this.pieces.push({ position: next, length, buffer, count });
      next += length;
    }
  }

  /** Whether all bytes before `end` belong to finished transactions. After a failed probe, skips the next reads. */
  private async isFinished(end: number): Promise<boolean> {
    if (end <= this.finishedEnd) return true;
    if (this.readsToProbe-- > 0) return false;
    this.readsToProbe = READS_A_PROBE;
    this.finishedEnd = await this.readings.finishedEnd(end);
    return end <= this.finishedEnd;
  }

  /** A free buffer with room for `bytes`. Smaller ones, of earlier readers, are dropped. */
  private bufferOf(bytes: number): Uint8Array {
    for (let buffer = freeBuffers.pop(); buffer; buffer = freeBuffers.pop()) if (buffer.length >= bytes) return buffer;
    return new Uint8Array(ownMemory(bytes).buffer);
  }

  /** Waits until no read is under way, and drops what was read ahead. */
  async settle(): Promise<void> {
    const pieces = this.pieces.splice(0);
    await Promise.allSettled(pieces.map(({ count }) => count));
    for (const { buffer } of pieces) freeBuffers.push(buffer);
  }
}
