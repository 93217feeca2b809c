import type { PieceEvents } from './piece.js';

/**
 * The encoding in which a worker sends a piece's events to the main thread: 24 bytes each, in native byte order.
 *
 * ```
 * record        position   previous pointer    oid, high and low half
 * transaction  -end        1 packed, 0 not     0, 0
 * gap           0          end                 0, 0
 * ```
 */
const ENTRY_BYTES = 24;
const ENTRIES = 8192;
/** Most bytes that an encoder passes on at a time. */
export const PIECE_BYTES = ENTRIES * ENTRY_BYTES;

/** Encodes events and passes the bytes on, about 192 KiB at a time. */
export class PieceEncoder implements PieceEvents {
  private readonly buffer = new ArrayBuffer(PIECE_BYTES);
  private readonly bytes = new Uint8Array(this.buffer);
  private readonly numbers = new Float64Array(this.buffer);
  private readonly halves = new Uint32Array(this.buffer);
  private used = 0;

  constructor(private readonly emit: (bytes: Uint8Array) => void) {}

  record(position: number, oidHigh: number, oidLow: number, previous: number): void {
    this.put(position, previous, oidHigh, oidLow);
  }

  transaction(end: number, packed: boolean): void {
    this.put(-end, packed ? 1 : 0, 0, 0);
  }

  gap(end: number): void {
    this.put(0, end, 0, 0);
  }

  flush(): void {
    if (this.used > 0) this.emit(this.bytes.subarray(0, this.used * ENTRY_BYTES));
    this.used = 0;
  }

  private put(first: number, second: number, high: number, low: number): void {
    const entry = this.used++;
    this.numbers[3 * entry] = first;
    this.numbers[3 * entry + 1] = second;
    this.halves[6 * entry + 4] = high;
    this.halves[6 * entry + 5] = low;
    if (this.used === ENTRIES) this.flush();
  }
}

/** Replays encoded events. `bytes` hold complete entries and begin at a multiple of 8. */
export function decodePiece(bytes: Uint8Array, events: PieceEvents): void {
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  const halves = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const entries = bytes.byteLength / ENTRY_BYTES;
  for (let entry = 0; entry < entries; entry++) {
    const first = numbers[3 * entry] ?? 0;
    const second = numbers[3 * entry + 1] ?? 0;
    if (first > 0) events.record(first, halves[6 * entry + 4] ?? 0, halves[6 * entry + 5] ?? 0, second);
    else if (first < 0) events.transaction(-first, second === 1);
    else events.gap(second);
  }
}
