import type { ByteSource } from '../filestorage/backward.js';
import { IoFault } from '../io/fault.js';

/** Larger than the longest header of a transaction, texts included (196,628 bytes). */
const BUFFER_BYTES = 1 << 18;

/** Reads a file forward through one buffer. */
export class RangeReader {
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private from = 0;
  private to = 0;

  constructor(private readonly source: ByteSource & { readonly path: string }) {}

  /** The `length` bytes at `position`, at most BUFFER_BYTES; valid until the next call. Throws ESHORT at the file's end. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    if (position < this.from || position + length > this.to) await this.load(position, length);
    return this.buffer.subarray(position - this.from, position - this.from + length);
  }

  /** Passes the bytes of [position, end) on, in pieces that are valid until `take` returns. */
  async pieces(position: number, end: number, take: (piece: Uint8Array) => void): Promise<void> {
    for (let at = position; at < end; ) {
      const isHere = at >= this.from && at < this.to;
      if (!isHere) await this.load(at, 1);
      const piece = this.buffer.subarray(at - this.from, Math.min(end, this.to) - this.from);
      take(piece);
      at += piece.length;
    }
  }

  private async load(position: number, length: number): Promise<void> {
    const count = await this.source.readBytes(this.buffer, position);
    this.from = position;
    this.to = position + count;
    if (count >= length) return;
    throw new IoFault('read', this.source.path, 'ESHORT', `it ends at ${this.to}`, this.to);
  }
}
