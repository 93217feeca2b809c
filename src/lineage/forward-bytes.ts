import { ownMemory, WASM_PAGE } from '../io/page-memory.js';

/** Anything that is read forward from a position. */
export interface ForwardSource {
  /** In bytes; for a file that is still being written, more than it will ever have. */
  readonly size: number;
  /**
   * Whether nothing follows `position`, a transaction boundary. For a file that is still being written, waits for the
   * answer.
   */
  endsAt(position: number): boolean | Promise<boolean>;
  /** Reads up to `into.length` bytes at `position`, at least one unless the file ends there. */
  readBytes(into: Uint8Array, position: number): number | Promise<number>;
}

/** In bytes. A larger buffer would leave the processor's cache before it is compared. */
const BUFFER_BYTES = 1 << 18;
const PAGE = 4096;

/** The file ended, or was cut short, before the bytes that its own lengths state. */
export class Short extends Error {
  override readonly name = 'Short';
  constructor(
    readonly source: ForwardSource,
    readonly position: number,
  ) {
    super(`the file ends at ${position}`);
  }
}

/**
 * A file that is read forward through one buffer: headers are parsed and data compared in place.
 *
 * Invariants: `bytes` holds the file's [from, to). `from` is page-aligned, as is the memory, because the kernel copies
 * whole pages to such addresses fastest. Memory is one buffer, whatever lengths the file states: longer data is
 * compared piece by piece.
 */
export class ForwardBytes {
  readonly bytes: Buffer;
  readonly view: DataView;
  from = 0;
  to = 0;

  constructor(
    readonly source: ForwardSource,
    bufferBytes = BUFFER_BYTES,
  ) {
    const bytes = Math.min(bufferBytes, source.size + PAGE);
    const memory = bytes < WASM_PAGE ? new ArrayBuffer(bytes) : ownMemory(bytes).buffer;
    this.bytes = Buffer.from(memory);
    this.view = new DataView(memory);
  }

  /** Offset in `bytes` of the `length` bytes at `position`; -1 if not all of them are in the buffer. */
  at(position: number, length: number): number {
    return position >= this.from && position + length <= this.to ? position - this.from : -1;
  }

  /**
   * Like `at`, but reads missing bytes. `length` is at most a page less than the buffer's. Throws Short at the end of
   * the file.
   */
  async load(position: number, length: number): Promise<number> {
    const known = this.at(position, length);
    if (known >= 0) return known;
    const first = position - (position % PAGE);
    const kept = position >= this.from && position < this.to ? this.to - first : 0;
    if (kept > 0) this.bytes.copyWithin(0, first - this.from, this.to - this.from);
    this.from = first;
    this.to = first + kept;
    while (this.to < position + length) {
      const room = this.bytes.subarray(this.to - this.from);
      const count = await this.source.readBytes(room, this.to);
      if (count === 0) throw new Short(this.source, this.to);
      this.to += count;
    }
    return position - first;
  }
}

/** Whether `length` bytes are equal at these positions. Synchronous if both buffers hold them all, the usual case. */
export function sameBytes(
  a: ForwardBytes,
  aPosition: number,
  b: ForwardBytes,
  bPosition: number,
  length: number,
): boolean | Promise<boolean> {
  const aAt = a.at(aPosition, length);
  const bAt = b.at(bPosition, length);
  if (aAt >= 0 && bAt >= 0) return a.bytes.compare(b.bytes, bAt, bAt + length, aAt, aAt + length) === 0;
  return sameByPieces(a, aPosition, b, bPosition, length);
}

async function sameByPieces(
  a: ForwardBytes,
  aPosition: number,
  b: ForwardBytes,
  bPosition: number,
  length: number,
): Promise<boolean> {
  for (let done = 0; done < length; ) {
    const aAt = await a.load(aPosition + done, 1);
    const bAt = await b.load(bPosition + done, 1);
    const count = Math.min(length - done, a.to - aPosition - done, b.to - bPosition - done);
    if (a.bytes.compare(b.bytes, bAt, bAt + count, aAt, aAt + count) !== 0) return false;
    done += count;
  }
  return true;
}
