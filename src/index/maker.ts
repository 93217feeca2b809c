import { encodeIndex } from '../filestorage/index-writer.js';
import { IndexBuilder } from './builder.js';
import type { RecordReader } from './records-pass.js';

/** The index that was being made is gone; it can be made anew by reading the file. */
export class IndexLost extends Error {
  override readonly name = 'IndexLost';
  constructor() {
    super('the thread that makes the index has ended');
  }
}

/** Makes the index of all that it is told, from a file's first transaction on. */
export interface IndexMaker extends RecordReader {
  /** Nothing more will be told. */
  allTold(): void;
  /**
   * The bytes of an index of all transactions before `end`; each piece holds until the next one is asked for, which may throw
   * IndexLost. undefined: what was told does not give it.
   */
  pieces(end: number): Iterable<Uint8Array> | undefined;
  close(): Promise<void>;
}

/** In this thread. */
export class IndexHere extends IndexBuilder implements IndexMaker {
  allTold(): void {}

  pieces(end: number): Iterable<Uint8Array> | undefined {
    return this.spoiled || this.end !== end ? undefined : encodeIndex(this.index, end);
  }

  async close(): Promise<void> {}
}

/** `threaded`: in a thread of its own, which is loaded then only. */
export async function indexMaker(threaded: boolean): Promise<IndexMaker> {
  if (!threaded) return new IndexHere();
  const { IndexThread } = await import('./thread.js');
  return new IndexThread();
}
