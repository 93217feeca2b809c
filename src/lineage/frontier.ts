import type { OpenFile } from '../io/open-file.js';
import type { ForwardSource } from './forward-bytes.js';

/** Nobody wants the answer any more. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

enum Word {
  /** Counts up with every change, so that a waiter that has compared before it sleeps misses none. */
  Changes,
  /** 1: the frontier moves no more. */
  Final,
  Abandoned,
  /** 1: what was found so far is certain, and more will not change it. */
  Certain,
  Count,
}

const POSITION_AT = 16;

/**
 * How far a file has been written whose reader runs in another thread: shared memory, written by one thread and waited for
 * by the other.
 *
 * Invariants: everything below the frontier is whole transactions that stay; it only moves forward until it is final.
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

  /** In the reader's thread: the file at least up to behind `position`, or all of it; returns up to where it is written. */
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

/** A file that another thread is writing, read up to its frontier: blocks this thread where there is nothing yet. */
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
