import { ENTRY_LENGTH, INDEX_HEAD_LENGTH, LONGEST_BUCKET, PREFIX_LENGTH, SUFFIX_LENGTH } from './index-layout.js';
import { integerForm, LONGEST_SHORT_BYTES, Opcode, PROTOCOL } from './index-opcodes.js';
import { ObjectIndex } from './object-index.js';

/** A format error, and its position in the index file. */
export interface IndexProblem {
  readonly position: number;
  readonly message: string;
}

/** Receives an index's entries, oids ascending. */
export interface EntryReceiver {
  set(oidHigh: number, oidLow: number, position: number): void;
}

/** The bytes are not a valid index. */
class Malformed extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

/** More bytes are needed. */
const MORE = Symbol('more');

enum Expect {
  Head,
  Bucket,
  Nothing,
}

/**
 * Reads `Data.fs.index` piece by piece. Accepts exactly what fsIndex.save writes, not arbitrary pickles (ZODB's
 * fsIndex.load uses an unpickler, which executes what the file contains).
 *
 * Invariants:
 *  - It is total: any bytes lead to `complete`, to a `problem`, or to a wait for more bytes. It never holds more than
 *    the largest bucket, whatever length the file states.
 *  - For whatever it accepts, encodeIndex produces the same bytes.
 */
export class IndexReader {
  /** The entries; empty when a receiver takes them. */
  readonly index = new ObjectIndex();
  /** Position up to which the index covers the Data.fs. */
  end = 0;
  problem: IndexProblem | undefined;

  private expect: Expect = Expect.Head;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private used = 0;
  /** File position of the first buffered byte. */
  private base = 0;
  private at = 0;
  private prefixHigh = -1;
  private prefixMiddle = -1;

  /** `room`: buffer size in bytes; to read a complete index it must hold the largest bucket. */
  constructor(
    private readonly receiver?: EntryReceiver,
    room = 2 * LONGEST_BUCKET,
  ) {
    this.bytes = new Uint8Array(room);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Whether the complete index has been read, with nothing after it. */
  get complete(): boolean {
    return this.expect === Expect.Nothing && !this.problem;
  }

  /** Feeds the next bytes of the file; has no effect after a problem. */
  feed(piece: Uint8Array): void {
    for (let taken = 0; taken < piece.length && !this.problem; ) {
      const part = piece.subarray(taken, taken + this.bytes.length - this.used);
      this.bytes.set(part, this.used);
      this.used += part.length;
      taken += part.length;
      this.parse();
    }
  }

  /** Marks the end of the file. */
  finish(): void {
    if (this.problem || this.complete) return;
    this.problem = { position: this.base + this.used, message: 'the file ends in the middle of the index' };
  }

  private parse(): void {
    try {
      while (this.pickle() !== MORE);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.problem = { position: this.base + error.at, message: error.message };
    }
    this.bytes.copyWithin(0, this.at, this.used);
    this.used -= this.at;
    this.base += this.at;
    this.at = 0;
  }

  /** Reads one complete pickle, or consumes nothing. */
  private pickle(): typeof MORE | undefined {
    const start = this.at;
    if (this.expect === Expect.Nothing) {
      if (this.used > start) throw new Malformed(start, 'there are bytes behind the end of the index');
      return MORE;
    }
    const done = this.expect === Expect.Head ? this.head(start) : this.bucketOrEnd(start);
    if (done === MORE) return MORE;
    this.at = done;
    return undefined;
  }

  private head(start: number): number | typeof MORE {
    const opcodeAt = start + PROTOCOL.length;
    if (this.used < opcodeAt + 2) return this.more(start, PROTOCOL);
    this.must(start, PROTOCOL, 'a pickle of protocol 3');
    const opcode = this.byte(opcodeAt);
    const length = lengthOfInteger(opcode, this.byte(opcodeAt + 1));
    if (length === undefined) throw new Malformed(opcodeAt, 'the position that the index covers is not a number');
    const at = opcodeAt + (opcode === Opcode.IntOfAny ? 2 : 1);
    if (this.used < at + length + 1) return MORE;
    let value = 0;
    for (let n = length - 1; n >= 0; n--) value = value * 256 + this.byte(at + n);
    const form = integerForm(value);
    if (!Number.isSafeInteger(value) || form.opcode !== opcode || form.length !== length)
      throw new Malformed(opcodeAt, 'the position that the index covers is not written as ZODB does');
    this.must(at + length, [Opcode.Stop], 'the end of a pickle');
    this.end = value;
    this.expect = Expect.Bucket;
    return at + length + 1;
  }

  private bucketOrEnd(start: number): number | typeof MORE {
    const opcodeAt = start + PROTOCOL.length;
    if (this.used < opcodeAt + 2) return this.more(start, PROTOCOL);
    this.must(start, PROTOCOL, 'a pickle of protocol 3');
    if (this.byte(opcodeAt) !== Opcode.None) return this.bucket(opcodeAt);
    this.must(opcodeAt + 1, [Opcode.Stop], 'the end of a pickle');
    this.expect = Expect.Nothing;
    return opcodeAt + 2;
  }

  private bucket(start: number): number | typeof MORE {
    this.must(start, [Opcode.ShortBytes, PREFIX_LENGTH], 'the upper six bytes of oids');
    const prefixAt = start + 2;
    const lengthAt = prefixAt + PREFIX_LENGTH + 1;
    if (this.used < lengthAt + 4) return MORE;
    const short = this.byte(lengthAt - 1) === Opcode.ShortBytes;
    if (!short) this.must(lengthAt - 1, [Opcode.LongBytes], 'the bytes of a bucket');
    const length = short ? this.byte(lengthAt) : this.view.getUint32(lengthAt, true);
    const count = length / ENTRY_LENGTH;
    const fits = count >= 1 && count <= 0x1_0000 && Number.isInteger(count) && short === length <= LONGEST_SHORT_BYTES;
    if (!fits) throw new Malformed(lengthAt, `a bucket of ${length} bytes`);
    const at = lengthAt + (short ? 1 : 4);
    const end = at + length;
    if (this.used < end + 2) return MORE;
    this.must(end, [Opcode.TupleOfTwo, Opcode.Stop], 'the end of a bucket');
    this.take(prefixAt, at, count);
    return end + 2;
  }

  private take(prefixAt: number, at: number, count: number): void {
    const high = this.view.getUint32(prefixAt);
    const middle = this.view.getUint16(prefixAt + 4);
    if (high < this.prefixHigh || (high === this.prefixHigh && middle <= this.prefixMiddle))
      throw new Malformed(prefixAt, 'buckets are not in ascending order');
    this.prefixHigh = high;
    this.prefixMiddle = middle;
    const receiver = this.receiver ?? this.index;
    let before = -1;
    for (let n = 0; n < count; n++) {
      const suffixAt = at + n * SUFFIX_LENGTH;
      const suffix = this.view.getUint16(suffixAt);
      if (suffix <= before) throw new Malformed(suffixAt, 'oids are not in ascending order');
      before = suffix;
      const positionAt = at + count * SUFFIX_LENGTH + n * (ENTRY_LENGTH - SUFFIX_LENGTH);
      const position = this.view.getUint16(positionAt) * 0x1_0000_0000 + this.view.getUint32(positionAt + 2);
      if (position === 0 || position >= this.end)
        throw new Malformed(positionAt, `a record at ${position}, in a file that is covered up to ${this.end}`);
      receiver.set(high, ((middle << 16) | suffix) >>> 0, position);
    }
  }

  /**
   * Reports that more bytes are needed. Checks the bytes that are there first, so that it does not wait on invalid
   * data.
   */
  private more(start: number, expected: readonly number[]): typeof MORE {
    this.must(start, expected.slice(0, Math.max(0, this.used - start)), 'a pickle of protocol 3');
    return MORE;
  }

  private must(at: number, expected: readonly number[], what: string): void {
    for (const [n, value] of expected.entries()) {
      if (this.byte(at + n) !== value) throw new Malformed(at + n, `${hex(this.byte(at + n))} where ${what} belongs`);
    }
  }

  private byte(at: number): number {
    return this.bytes[at] ?? 0;
  }
}

/**
 * Position up to which an index covers its Data.fs, from its first INDEX_HEAD_LENGTH bytes (all bytes of a shorter
 * file); undefined when they are not the head of an index.
 */
export function coveredBy(head: Uint8Array): number | undefined {
  const reader = new IndexReader(undefined, INDEX_HEAD_LENGTH);
  reader.feed(head.subarray(0, INDEX_HEAD_LENGTH));
  return reader.end || undefined;
}

/** Length of the integer that begins with these two bytes; undefined when it is none, or too large for a position. */
function lengthOfInteger(opcode: number, next: number): number | undefined {
  switch (opcode) {
    case Opcode.IntOf1:
      return 1;
    case Opcode.IntOf2:
      return 2;
    case Opcode.IntOf4:
      return 4;
    case Opcode.IntOfAny:
      return next <= 8 ? next : undefined;
    default:
      return undefined;
  }
}

function hex(byte: number): string {
  return `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
