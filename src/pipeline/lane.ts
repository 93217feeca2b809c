import { sharedMemory, WASM_PAGE } from '../io/page-memory.js';
import { Window } from './window.js';

/**
 * A lane: the bounded shared memory through which one worker passes a chunk's bytes and records to the main thread.
 * Bytes are read into it, hashed in it and written from it: they are never copied between threads.
 *
 * Invariants:
 *  - Slots are filled and emptied in turn. A slot belongs to the worker until it is counted as filled, then to the main
 *    thread until it is counted as emptied. No other thread touches it.
 *  - The worker waits while all slots are full (the main thread may be writing another lane's chunk), so memory is
 *    bounded by lanes x slots whatever a chunk's size.
 *  - A cancelled lane releases its worker at the next slot: a thread is never killed in the middle of a call.
 *  - The main thread is woken only if it has announced that it sleeps: a message per slot costs more than the slot's
 *    hash.
 */
export interface LaneMemory {
  /** Words, then the length of the contents of each slot: negative for records. */
  readonly control: SharedArrayBuffer;
  /** A page for the hash of a window that moves from slot to slot, then the slots. */
  readonly memory: WebAssembly.Memory;
  readonly slots: number;
  readonly slotBytes: number;
}

/** Words of the control block. */
enum Word {
  Filled,
  Emptied,
  Cancelled,
  /** Counts up with every read of the worker. */
  Progress,
  /** 1 while the worker is inside a read. */
  Reading,
  /** 1 while the main thread sleeps until a slot is filled. */
  Sleeping,
  Count,
}

export function makeLane(slots: number, slotBytes: number): LaneMemory {
  return {
    control: new SharedArrayBuffer((Word.Count + slots) * Int32Array.BYTES_PER_ELEMENT),
    memory: sharedMemory(WASM_PAGE + slots * slotBytes),
    slots,
    slotBytes,
  };
}

/** The contents of a slot: bytes of the file, or a piece of a tape of its records. */
export type SlotKind = 'bytes' | 'records';

/** The main thread does not need the rest of this chunk. */
export class LaneCancelled extends Error {}

/** Releases every thread that waits at either end of a lane. */
export function cancelLane({ control, slots }: LaneMemory): void {
  const words = new Int32Array(control);
  Atomics.store(words, Word.Cancelled, 1);
  // Waking a writer needs a changed word: one that waits compares before it sleeps.
  Atomics.add(words, Word.Emptied, slots);
  Atomics.notify(words, Word.Emptied);
  Atomics.notify(words, Word.Filled);
}

export interface Slot {
  readonly bytes: Uint8Array;
  readonly kind: SlotKind;
}

/** How often a waiting reader checks whether the lane was cancelled. */
const CANCELLED_CHECK_MS = 100;

/** The side that fills the slots: mostly a worker's. */
export class LaneWriter {
  private readonly control: Int32Array;
  private filled = 0;

  /**
   * `wake` wakes the sleeping main thread when a slot is filled. A lane that has no room for `deadlineMs` counts as
   * cancelled.
   */
  constructor(
    private readonly lane: LaneMemory,
    private readonly wake: () => void,
    private readonly deadlineMs = Number.POSITIVE_INFINITY,
  ) {
    this.control = new Int32Array(lane.control);
  }

  get slotBytes(): number {
    return this.lane.slotBytes;
  }

  /** A window over the lane's own memory, at one slot after the other. A slot must have room for `size` bytes. */
  window(size: number): Window {
    const { memory, slotBytes } = this.lane;
    return new Window(size, { memory, stride: slotBytes });
  }

  /**
   * Waits for the next free slot and returns its number. The worker owns it until it hands it over. Throws
   * LaneCancelled.
   */
  room(): number {
    const { slots } = this.lane;
    for (;;) {
      const emptied = Atomics.load(this.control, Word.Emptied);
      if (Atomics.load(this.control, Word.Cancelled) === 1) throw new LaneCancelled();
      if (this.filled - emptied < slots) return this.filled % slots;
      if (Atomics.wait(this.control, Word.Emptied, emptied, this.deadlineMs) === 'timed-out') throw new LaneCancelled();
    }
  }

  /** Hands over the first `length` bytes of the slot that `room` returned. */
  handOver(length: number, kind: SlotKind): void {
    const { control } = this;
    Atomics.store(control, Word.Count + (this.filled % this.lane.slots), kind === 'bytes' ? length : -length);
    Atomics.store(control, Word.Filled, ++this.filled);
    Atomics.notify(control, Word.Filled);
    if (Atomics.compareExchange(control, Word.Sleeping, 1, 0) === 1) this.wake();
  }

  /** Copies a piece, which must fit a slot, into the next one and hands it over. Throws LaneCancelled. */
  put(piece: Uint8Array, kind: SlotKind): void {
    slotOf(this.lane, this.room(), piece.length).set(piece);
    this.handOver(piece.length, kind);
  }

  /** Number of slots handed over. */
  get handedOver(): number {
    return this.filled;
  }

  /** Marks a read, so that the main thread can detect one that hangs. */
  reading<T>(read: () => T): T {
    Atomics.store(this.control, Word.Reading, 1);
    try {
      return read();
    } finally {
      Atomics.store(this.control, Word.Reading, 0);
      Atomics.add(this.control, Word.Progress, 1);
    }
  }

  /** Like `reading`, for a read that was begun before. */
  async waiting<T>(read: Promise<T>): Promise<T> {
    Atomics.store(this.control, Word.Reading, 1);
    try {
      return await read;
    } finally {
      Atomics.store(this.control, Word.Reading, 0);
      Atomics.add(this.control, Word.Progress, 1);
    }
  }
}

/** The side that empties the slots: mostly the main thread's. */
export class LaneReader {
  private readonly control: Int32Array;
  private emptied = 0;

  constructor(readonly memory: LaneMemory) {
    this.control = new Int32Array(memory.control);
  }

  /** Number of slots taken. */
  get taken(): number {
    return this.emptied;
  }

  /** The contents of the next slot, owned by the reader until `release`; undefined while the slot is not filled. */
  next(): Slot | undefined {
    if (Atomics.load(this.control, Word.Filled) === this.emptied) return undefined;
    const slot = this.emptied % this.memory.slots;
    const length = Atomics.load(this.control, Word.Count + slot);
    return { bytes: slotOf(this.memory, slot, Math.abs(length)), kind: length > 0 ? 'bytes' : 'records' };
  }

  /**
   * Like `next`, but waits for the slot; undefined if none is filled within `deadlineMs`, or the lane was cancelled.
   */
  waitForNext(deadlineMs = Number.POSITIVE_INFINITY): Slot | undefined {
    for (let left = deadlineMs; left > 0; left -= CANCELLED_CHECK_MS) {
      // This order matters: the writer may fill the last slot and cancel the lane between the two.
      const cancelled = Atomics.load(this.control, Word.Cancelled) === 1;
      const slot = this.next();
      if (slot || cancelled) return slot;
      Atomics.wait(this.control, Word.Filled, this.emptied, CANCELLED_CHECK_MS);
    }
    return undefined;
  }

  /** Requests a wake-up when the next slot is filled; false if it is filled already. */
  sleep(): boolean {
    Atomics.store(this.control, Word.Sleeping, 1);
    return Atomics.load(this.control, Word.Filled) === this.emptied;
  }

  release(): void {
    this.emptied++;
    Atomics.add(this.control, Word.Emptied, 1);
    Atomics.notify(this.control, Word.Emptied);
  }

  /** Releases the worker. */
  cancel(): void {
    cancelLane(this.memory);
  }

  /** Prepares the lane for another chunk, after its worker has ended. */
  reset(): void {
    this.control.fill(0);
    this.emptied = 0;
  }

  /** A number that changes with the worker's progress; undefined while the worker is not in a read. */
  get readProgress(): number | undefined {
    return Atomics.load(this.control, Word.Reading) === 1 ? Atomics.load(this.control, Word.Progress) : undefined;
  }
}

function slotOf({ memory, slotBytes }: LaneMemory, slot: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, WASM_PAGE + slot * slotBytes, length);
}
