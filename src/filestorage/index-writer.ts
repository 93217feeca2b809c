import type { IndexBucket } from './index-bucket.js';
import {
  BUCKET_HEAD_LENGTH,
  ENTRY_LENGTH,
  LITTLE_ENDIAN,
  LONGEST_BUCKET,
  POSITION_WORDS,
  PREFIX_LENGTH,
} from './index-layout.js';
import { integerForm, LONGEST_SHORT_BYTES, Opcode, PROTOCOL } from './index-opcodes.js';
import type { ObjectIndex } from './object-index.js';

/** Maximum size of a piece in bytes. */
export const INDEX_PIECE_BYTES = 2 * LONGEST_BUCKET;
/** Below this many words, writing one by one is faster than a copy with a byte swap. */
const FEW = 64;

/**
 * The bytes of `Data.fs.index` for an index that covers the file up to `end`, as ZODB's fsIndex.save(end, name) writes
 * them. Yields pieces of at most 1 MiB; each is valid until the next one is requested.
 */
export function* encodeIndex(index: ObjectIndex, end: number): Generator<Uint8Array> {
  const piece = new PickleWriter(INDEX_PIECE_BYTES);
  piece.protocol();
  piece.integer(end);
  piece.byte(Opcode.Stop);
  for (const bucket of index.buckets()) {
    if (piece.room < BUCKET_HEAD_LENGTH + bucket.size * ENTRY_LENGTH + 2) yield piece.take();
    piece.bucket(bucket);
  }
  if (piece.room < 4) yield piece.take();
  piece.protocol();
  piece.byte(Opcode.None);
  piece.byte(Opcode.Stop);
  yield piece.take();
}

class PickleWriter {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private length = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  get room(): number {
    return this.bytes.length - this.length;
  }

  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  protocol(): void {
    for (const byte of PROTOCOL) this.byte(byte);
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`an index cannot cover a file up to ${value}`);
    const { opcode, length } = integerForm(value);
    this.byte(opcode);
    if (opcode === Opcode.IntOfAny) this.byte(length);
    for (let rest = value, n = 0; n < length; n++, rest = Math.floor(rest / 256)) this.byte(rest % 256);
  }

  bucket({ high, middle, size, suffixes, words }: IndexBucket): void {
    this.protocol();
    this.bytesHead(PREFIX_LENGTH);
    this.view.setUint32(this.length, high);
    this.view.setUint16(this.length + 4, middle);
    this.length += PREFIX_LENGTH;
    this.bytesHead(size * ENTRY_LENGTH);
    this.words(suffixes, size);
    this.words(words, size * POSITION_WORDS);
    this.byte(Opcode.TupleOfTwo);
    this.byte(Opcode.Stop);
  }

  /** Writes the first `count` words, big-endian. */
  private words(words: Uint16Array, count: number): void {
    if (count < FEW) {
      for (let n = 0; n < count; n++) this.view.setUint16(this.length + 2 * n, words[n] ?? 0);
      this.length += 2 * count;
      return;
    }
    const bytes = Buffer.from(this.bytes.buffer, this.length, 2 * count);
    bytes.set(new Uint8Array(words.buffer, words.byteOffset, 2 * count));
    if (LITTLE_ENDIAN) bytes.swap16();
    this.length += 2 * count;
  }

  private bytesHead(length: number): void {
    if (length <= LONGEST_SHORT_BYTES) {
      this.byte(Opcode.ShortBytes);
      this.byte(length);
      return;
    }
    this.byte(Opcode.LongBytes);
    this.view.setUint32(this.length, length, true);
    this.length += 4;
  }
}
