import { encodeIndex } from '../filestorage/index-writer.js';
import { IndexBuilder, type IndexMaker } from './builder.js';

/** Builds the index in this thread. */
export class InlineIndexMaker extends IndexBuilder implements IndexMaker {
  allAdded(): void {}

  pieces(end: number): Iterable<Uint8Array> | undefined {
    return this.spoiled || this.end !== end ? undefined : encodeIndex(this.index, end);
  }

  async close(): Promise<void> {}
}

/** `threaded`: in a separate thread, whose module is loaded only then. */
export async function indexMaker(threaded: boolean): Promise<IndexMaker> {
  if (!threaded) return new InlineIndexMaker();
  const { IndexThread } = await import('./thread.js');
  return new IndexThread();
}
