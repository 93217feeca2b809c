import { MAGIC_LENGTH } from '../../src/filestorage/layout.js';
import type { Readable } from '../../src/pipeline/scan.js';
import type { Window } from '../../src/pipeline/window.js';

/** A Data.fs of any size of which only headers and trailers are in memory: each transaction has one record of zeros. */
export class SparseFile implements Readable {
  readonly path = 'a sparse file';
  size = MAGIC_LENGTH;
  /** Bytes that were read. */
  bytesRead = 0;
  private readonly pieces: { readonly at: number; readonly bytes: Buffer }[] = [{ at: 0, bytes: Buffer.from('FS30') }];

  /** Appends a transaction of this many bytes, including its trailer. */
  append(length: number, status: number): void {
    const [position, tid] = [this.size, BigInt(this.pieces.length) << 32n];
    const header = transactionHead(position, tid, length, status);
    const trailer = Buffer.alloc(8);
    trailer.writeBigUInt64BE(BigInt(length - 8));
    this.pieces.push({ at: position, bytes: header }, { at: position + length - 8, bytes: trailer });
    this.size = position + length;
  }

  readonly read = (window: Window, length: number, position: number): number =>
    this.fill(window.bytes.subarray(0, length), position);

  readBytes(into: Uint8Array, position: number): number {
    return this.fill(into, position);
  }

  private fill(into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.size - position));
    this.bytesRead += length;
    into.fill(0, 0, length);
    for (let n = this.firstFrom(position); n < this.pieces.length; n++) {
      const piece = this.pieces[n];
      if (!piece || piece.at >= position + length) break;
      const from = Math.max(0, position - piece.at);
      into.set(piece.bytes.subarray(from, position + length - piece.at), piece.at + from - position);
    }
    return length;
  }

  /** Number of the first piece that ends at or after `position`. */
  private firstFrom(position: number): number {
    let [low, high] = [0, this.pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.pieces[middle];
      if (piece && piece.at + piece.bytes.length > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Header of a transaction of this many bytes, and of its one record. */
export function transactionHead(position: number, tid: bigint, length: number, status: number): Buffer {
  const head = Buffer.alloc(23 + 42);
  head.writeBigUInt64BE(tid, 0);
  head.writeBigUInt64BE(BigInt(length - 8), 8);
  head.writeUInt8(status, 16);
  head.writeBigUInt64BE(1n, 23);
  head.writeBigUInt64BE(tid, 31);
  head.writeBigUInt64BE(BigInt(position), 47);
  head.writeBigUInt64BE(BigInt(length - 8 - 65), 57);
  return head;
}
