import type { ByteSource } from '../filestorage/backward.js';
import { BLOB_WORDS, type BlobNames, UNDO_WORDS, undoTarget } from '../filestorage/blob-names.js';
import { BLOB_PREFIX, isBlobRecord } from '../filestorage/blob-record.js';
import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, readPosition } from '../filestorage/layout.js';
import { PathMistake } from '../standby/paths.js';
import { BlobSet } from './blob-set.js';

const ALL_ONES = 0xffff_ffff;

/** The blobs that some transactions name, each once. */
export class NeededBlobs {
  readonly ids = new BlobSet();

  /**
   * Adds what a chunk names. A record that points back is a blob's if the data that it leads to is.
   * @param file the Data.fs of that chunk
   */
  async add(names: BlobNames, file: ByteSource & { readonly path: string }): Promise<void> {
    if (names.encrypted > 0) {
      throw new PathMistake(
        `the records of ${file.path} are encrypted: which of them are blobs cannot be seen`,
        'add --blobs-by tree: it compares the blob directories instead',
      );
    }
    await this.addReadable(names, file);
  }

  /** As add, but passes over encrypted records. */
  async addReadable({ blobs, undos }: BlobNames, file: ByteSource): Promise<void> {
    for (let at = 0; at < blobs.length; at += BLOB_WORDS) this.addWords(blobs, at);
    for (let at = 0; at < undos.length; at += UNDO_WORDS) {
      if (await leadsToBlob(file, undoTarget(undos, at))) this.addWords(undos, at);
    }
  }

  private addWords(words: Uint32Array, at: number): void {
    const [oidHigh = 0, oidLow = 0, tidHigh = 0, tidLow = 0] = words.subarray(at, at + BLOB_WORDS);
    // No object has this oid; in the manifest it marks a seal.
    if (oidHigh === ALL_ONES && oidLow === ALL_ONES) return;
    this.ids.add(oidHigh, oidLow, tidHigh, tidLow);
  }
}

/** Whether a chain of back pointers that begins at `target` ends in a blob's data. Each leads towards the beginning. */
async function leadsToBlob(file: ByteSource, target: number): Promise<boolean> {
  const bytes = new Uint8Array(RECORD_HEADER_LENGTH + BLOB_PREFIX);
  const view = new DataView(bytes.buffer);
  for (let position = target; position > 0; ) {
    const count = await file.readBytes(bytes, position);
    if (count < RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH) return false;
    const length = readPosition(view, RECORD_HEADER_LENGTH - 8);
    if (length > 0) {
      const data = bytes.subarray(RECORD_HEADER_LENGTH, Math.min(count, RECORD_HEADER_LENGTH + length));
      return isBlobRecord(data, length) === 'blob';
    }
    const next = readPosition(view, RECORD_HEADER_LENGTH);
    if (next >= position) return false;
    position = next;
  }
  return false;
}
