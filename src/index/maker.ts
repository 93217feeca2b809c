import { encodeIndex } from '../filestorage/index-writer.js';
import { IndexBuilder, type IndexMaker } from './builder.js';

/** In this thread. */
export class IndexHere extends IndexBuilder implements IndexMaker {
  allAdded(): void {}

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
