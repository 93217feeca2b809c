import type { OpenFile } from '../io/open-file.js';
import type { ForwardSource } from './forward-bytes.js';

/** The answer is no longer needed. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

enum Word {
  /** Counts up with every change, so that a waiter that compares it before it sleeps misses no change. */
  Changes,
  /** 1: the frontier moves no more. */
  Final,
  Abandoned,
  /** 1: the result so far is certain, and later bytes will not change it. */
  Certain,
  Count,
}

const POSITION_AT = 16;

/**
 * How far a file is written that another thread reads: shared memory that one thread writes and the other waits on.
 *
 * Invariants: all bytes below the frontier are complete, final transactions. It only moves forward until it is final.
 */
export class Frontier {
  private readonly words: Int32Array;
  private readonly position: BigInt64Array;

  constructor(
    readonly memory: SharedArrayBuffer = new SharedArrayBuffer(POSITION_AT + BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.words = new Int32Array(memory, 0, Word.Count);
    this.position = new BigInt64Array(memory, POSITION_AT, 1);
  }

  moveTo(position: number, final = false): void {
    Atomics.store(this.position, 0, BigInt(position));
    if (final) Atomics.store(this.words, Word.Final, 1);
    this.changed();
  }

  abandon(): void {
    Atomics.store(this.words, Word.Abandoned, 1);
    this.changed();
  }

  get isCertain(): boolean {
    return Atomics.load(this.words, Word.Certain) === 1;
  }

  setCertain(): void {
    Atomics.store(this.words, Word.Certain, 1);
  }

  /**
   * In the reader's thread: waits until the file is written beyond `position`, or complete. Returns the written
   * position.
   */
  waitBeyond(position: number): number {
    for (;;) {
      const seen = Atomics.load(this.words, Word.Changes);
      if (Atomics.load(this.words, Word.Abandoned) === 1) throw new Abandoned();
      const final = Atomics.load(this.words, Word.Final) === 1;
      const written = Number(Atomics.load(this.position, 0));
      if (written > position || final) return written;
      Atomics.wait(this.words, Word.Changes, seen);
    }
  }

  private changed(): void {
    Atomics.add(this.words, Word.Changes, 1);
    Atomics.notify(this.words, Word.Changes);
  }
}

/** A file that another thread is writing, read up to its frontier. Blocks this thread while nothing is available. */
export function trailingSource(file: OpenFile, frontier: Frontier): ForwardSource {
  return {
    size: Number.MAX_SAFE_INTEGER,
    endsAt: (position) => frontier.waitBeyond(position) <= position,
    readBytes(into, position) {
      const written = frontier.waitBeyond(position);
      return file.read(into, Math.max(0, Math.min(into.length, written - position)), position);
    },
  };
}
