/**
 * A lane: the bounded shared memory through which one worker hands a chunk's bytes, and what its walk tells of records, to
 * the main thread.
 *
 * Invariants:
 *  - Slots are filled and emptied in turn; a slot belongs to the worker until it is counted as filled, then to the main
 *    thread until it is counted as emptied. Nobody else touches it.
 *  - The worker waits while all slots are full (the main thread may be writing another lane's chunk), so memory is bounded
 *    by lanes x slots whatever a chunk's size.
 *  - A cancelled lane lets its worker go at the next slot: a thread is never killed in the middle of a call.
 */
export interface LaneMemory {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly slotBytes: number;
}

/** Words of the control block. */
enum Word {
  Emptied,
  Cancelled,
  /** Counts up with every read of the worker. */
  Progress,
  /** 1 while the worker is inside a read. */
  Reading,
  Count,
}

export const SLOTS_PER_LANE = 8;
const WASM_PAGE = 65_536;

export function makeLane(slotBytes: number): LaneMemory {
  return {
    control: new SharedArrayBuffer(Word.Count * Int32Array.BYTES_PER_ELEMENT),
    slots: pageAligned(SLOTS_PER_LANE * slotBytes),
    slotBytes,
  };
}

/** What is in a slot: bytes of the file, or a piece of a tape of records. */
export type SlotKind = 'bytes' | 'records';

/**
 * Shared memory that begins at a page: bytes that come from a page's beginning, as all of them do, are copied four times
 * slower to a place 16 bytes behind one, which is where a plain SharedArrayBuffer begins.
 */
function pageAligned(bytes: number): SharedArrayBuffer {
  const pages = Math.ceil(bytes / WASM_PAGE);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  if (buffer instanceof SharedArrayBuffer) return buffer;
  throw new Error('shared WebAssembly memory is not shared');
}

/** The main thread does not want the rest of this chunk. */
export class LaneCancelled extends Error {}

/** The worker's side. */
export class LaneWriter {
  private readonly control: Int32Array;
  private filled = 0;
  private used = 0;

  /** `announce` tells the main thread that the next slot is filled with so many bytes, and of what. */
  constructor(
    private readonly memory: LaneMemory,
    private readonly announce: (length: number, kind: SlotKind) => void,
  ) {
    this.control = new Int32Array(memory.control);
  }

  /** Copies bytes into the lane, as many slots as they need; waits for room. Throws LaneCancelled. */
  put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.used === 0) this.waitForRoom();
      const length = Math.min(bytes.length - done, this.memory.slotBytes - this.used);
      const at = (this.filled % SLOTS_PER_LANE) * this.memory.slotBytes + this.used;
      new Uint8Array(this.memory.slots, at, length).set(bytes.subarray(done, done + length));
      done += length;
      this.used += length;
      if (this.used === this.memory.slotBytes) this.flush();
    }
  }

  /** Hands over what is in the slot so far. */
  flush(): void {
    if (this.used > 0) this.fill(this.used, 'bytes');
  }

  /** Hands over a piece of a tape, which a slot has room for, behind all bytes that were put before. */
  putRecords(piece: Uint8Array): void {
    this.flush();
    this.waitForRoom();
    new Uint8Array(this.memory.slots, (this.filled % SLOTS_PER_LANE) * this.memory.slotBytes, piece.length).set(piece);
    this.fill(piece.length, 'records');
  }

  /** How many slots have been handed over. */
  get handedOver(): number {
    return this.filled;
  }

  /** Marks a read, so that the main thread can see one that does not come back. */
  reading<T>(read: () => T): T {
    Atomics.store(this.control, Word.Reading, 1);
    try {
      return read();
    } finally {
      Atomics.store(this.control, Word.Reading, 0);
      Atomics.add(this.control, Word.Progress, 1);
    }
  }

  /** As `reading`, for a read that was begun before. */
  async waiting<T>(read: Promise<T>): Promise<T> {
    Atomics.store(this.control, Word.Reading, 1);
    try {
      return await read;
    } finally {
      Atomics.store(this.control, Word.Reading, 0);
      Atomics.add(this.control, Word.Progress, 1);
    }
  }

  private fill(length: number, kind: SlotKind): void {
    this.used = 0;
    this.filled++;
    this.announce(length, kind);
  }

  private waitForRoom(): void {
    for (;;) {
      const emptied = Atomics.load(this.control, Word.Emptied);
      if (Atomics.load(this.control, Word.Cancelled) === 1) throw new LaneCancelled();
      if (this.filled - emptied < SLOTS_PER_LANE) return;
      Atomics.wait(this.control, Word.Emptied, emptied);
    }
  }
}

/** The main thread's side. */
export class LaneReader {
  private readonly control: Int32Array;
  private emptied = 0;

  constructor(readonly memory: LaneMemory) {
    this.control = new Int32Array(memory.control);
  }

  /** How many slots have been taken. */
  get taken(): number {
    return this.emptied;
  }

  /** The next slot's bytes, which were announced with this length; ours until `release`. */
  slot(length: number): Uint8Array {
    return new Uint8Array(this.memory.slots, (this.emptied % SLOTS_PER_LANE) * this.memory.slotBytes, length);
  }

  release(): void {
    this.emptied++;
    Atomics.add(this.control, Word.Emptied, 1);
    Atomics.notify(this.control, Word.Emptied);
  }

  /** Lets the worker go. Waking it needs a changed word: one that waits compares before it sleeps. */
  cancel(): void {
    Atomics.store(this.control, Word.Cancelled, 1);
    Atomics.add(this.control, Word.Emptied, SLOTS_PER_LANE);
    Atomics.notify(this.control, Word.Emptied);
  }

  /** Makes the lane ready for another chunk, when its worker has ended. */
  reset(): void {
    this.control.fill(0);
    this.emptied = 0;
  }

  /** A number that changes whenever the worker gets on; undefined while it is not in a read. */
  get readProgress(): number | undefined {
    return Atomics.load(this.control, Word.Reading) === 1 ? Atomics.load(this.control, Word.Progress) : undefined;
  }
}
