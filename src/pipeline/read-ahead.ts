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
  /** Where the reader will begin. */
  readonly from?: number | undefined;
  /** Where the reader will end. Nothing from there on is read ahead. */
  readonly until?: number | undefined;
}

/** A read that takes longer came over a network, or from a disk: other reads can wait in parallel. */
const SLOW_READ_MS = 2;
/**
 * One slow read may be due to a busy machine; three in a row are not. The kernel reads ahead as well, if less: then every
 * second read over a network is fast. So a slow read counts this many times as much as a fast one, which takes back.
 */
const SLOW_COUNTS = 2;
/** Reads are slow from this count on, which is the highest. */
const SLOW = 5;
/** Pieces under way at once. With 1 MiB each and 10 ms a read, that is some 800 MB/s. */
const DEPTH = 8;

/** A probe for the end of the finished transactions takes several reads itself. */
const READS_A_PROBE = 16;

/** Free buffers of this thread. One file follows the other, and new memory is expensive. */
const freeBuffers: Uint8Array[] = [];
/** This thread's last count: where reads were slow, the next reader is read ahead for at once. */
let lastSlowness = 0;

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
  private slowness = lastSlowness;
  /** Where the next read begins if it is sequential. */
  private expected: number;
  private finishedEnd = 0;
  private readsToProbe = 0;
  private until: number;

  constructor(private readonly readings: Readings) {
    this.expected = readings.from ?? -1;
    this.until = readings.until ?? readings.limit;
  }

  /** The next reads are those from `from` on. Nothing from `until` on is read ahead; by default the file's end. */
  expect(from: number, until = this.readings.limit): void {
    this.expected = from;
    this.until = until;
  }

  /** Like a plain read. Reads of one ReadAhead must not overlap. */
  async read(window: Window, length: number, position: number): Promise<number> {
    const follows = position === this.expected;
    this.expected = position + length;
    const begun = this.pieceFor(position, length);
    if (begun) return this.take(begun, window);
    await this.settle();
    const begins = follows && this.isSlow && position + length <= this.until;
    if (begins) await this.fill(position, length);
    const began = milliseconds();
    const piece = this.pieceFor(position, length);
    const count = piece ? await this.take(piece, window) : await this.readings.now(window.bytes, length, position);
    this.judge(milliseconds() - began, length === window.size);
    if (follows && !begins && this.isSlow) await this.fill(position + length, length);
    return count;
  }

  private pieceFor(position: number, length: number): Piece | undefined {
    const next = this.pieces[0];
    return next && next.position === position && next.length === length ? next : undefined;
  }

  private get isSlow(): boolean {
    return this.slowness >= SLOW;
  }

  /** A small read that is fast shows nothing: the kernel had its bytes from a larger one. */
  private judge(milliseconds: number, isFullWindow: boolean): void {
    if (milliseconds > SLOW_READ_MS) this.slowness = Math.min(SLOW, this.slowness + SLOW_COUNTS);
    else if (isFullWindow) this.slowness = Math.max(0, this.slowness - 1);
    lastSlowness = this.slowness;
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
