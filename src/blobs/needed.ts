import type { ByteSource } from '../filestorage/backward.js';
import { BLOB_WORDS, type BlobNames, UNDO_WORDS, undoTarget } from '../filestorage/blob-names.js';
import { BLOB_PREFIX, isBlobRecord } from '../filestorage/blob-record.js';
import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, readPosition } from '../filestorage/layout.js';
import { PathMistake } from '../standby/paths.js';
import { BlobSet } from './blob-set.js';

const ALL_ONES = 0xffff_ffff;

/** Positions that are kept; beyond that they are found again. */
const MOST_CHAINS = 1 << 18;

function recordOf(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly view: DataView } {
  return { bytes, view: new DataView(bytes.buffer) };
}

/** The blobs that some transactions name, each once. */
export class NeededBlobs {
  readonly ids = new BlobSet();
  private readonly record = recordOf(new Uint8Array(RECORD_HEADER_LENGTH + BLOB_PREFIX));
  /** By position of a record: whether it leads to a blob's data. */
  private readonly chains = new Map<number, boolean>();

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
      if (await this.leadsToBlob(file, undoTarget(undos, at))) this.addWords(undos, at);
    }
  }

  private addWords(words: Uint32Array, at: number): void {
    const [oidHigh = 0, oidLow = 0, tidHigh = 0, tidLow = 0] = words.subarray(at, at + BLOB_WORDS);
    // No object has this oid; in the manifest it marks a seal.
    if (oidHigh === ALL_ONES && oidLow === ALL_ONES) return;
    this.ids.add(oidHigh, oidLow, tidHigh, tidLow);
  }

  /**
   * Whether a chain of back pointers that begins at `target` ends in a blob's data. Each leads towards the beginning. An
   * object that was undone over and over has a long one, so what is known of its records is kept.
   */
  private async leadsToBlob(file: ByteSource, target: number): Promise<boolean> {
    const { bytes, view } = this.record;
    const passed: number[] = [];
    let isBlob = false;
    for (let position = target; position > 0; ) {
      const known = this.chains.get(position);
      if (known !== undefined) {
        isBlob = known;
        break;
      }
      passed.push(position);
      const count = await file.readBytes(bytes, position);
      if (count < RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH) break;
      const length = readPosition(view, RECORD_HEADER_LENGTH - 8);
      if (length > 0) {
        const data = bytes.subarray(RECORD_HEADER_LENGTH, Math.min(count, RECORD_HEADER_LENGTH + length));
        isBlob = isBlobRecord(data, length) === 'blob';
        break;
      }
      const next = readPosition(view, RECORD_HEADER_LENGTH);
      if (next >= position) break;
      position = next;
    }
    if (this.chains.size > MOST_CHAINS) this.chains.clear();
    for (const position of passed) this.chains.set(position, isBlob);
    return isBlob;
  }
}
