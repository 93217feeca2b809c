import type { Readable } from '../../src/pipeline/scan.js';

/** A file in memory that is read like one on a disk, and that records its reads. */
export class MemoryFile implements Readable {
  readonly path = 'in memory';
  /** Positions and lengths of the reads, in order. */
  readonly reads: (readonly [number, number])[] = [];

  /** `size` may exceed the bytes: the file was truncated after its size was read. */
  constructor(
    readonly bytes: Uint8Array,
    readonly size: number = bytes.length,
  ) {}

  readonly read: Readable['read'] = (window, length, position) => {
    return this.readBytes(window.bytes.subarray(0, length), position);
  };

  readBytes(into: Uint8Array, position: number): number {
    const piece = this.bytes.subarray(position, position + into.length);
    into.set(piece);
    this.reads.push([position, into.length]);
    return piece.length;
  }
}
