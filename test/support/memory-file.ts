import type { Readable } from '../../src/pipeline/scan.js';

/** A file in memory, read as the product reads one on a disk; records what was read. */
export class MemoryFile implements Readable {
  readonly path = 'in memory';
  /** Positions and lengths of the reads, in order. */
  readonly reads: (readonly [number, number])[] = [];

  /** `size` may be more than the bytes that are there: the file was cut back after its size had been seen. */
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
