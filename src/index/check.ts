import { type EntryReceiver, IndexReader } from '../filestorage/index-reader.js';
import { encodeIndex } from '../filestorage/index-writer.js';
import type { ObjectIndex } from '../filestorage/object-index.js';
import type { Problem } from '../filestorage/problem.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';

const PIECE = 1 << 20;
/** In bytes: more than the first pickle of an index, which holds the position that it covers. */
const HEAD = 64;

/**
 * A `Data.fs.index` to compare with the index of the records that were found.
 *
 * ZODB itself checks up to five of its entries (FileStorage._check_sanity). A wrong entry elsewhere makes it serve
 * wrong data.
 */
export class IndexCheck {
  private constructor(
    private readonly file: OpenFile,
    private readonly deadline: ReadDeadline,
    /** Position up to which it covers the Data.fs; 0 when it cannot be read. */
    readonly end: number,
    /** Why it cannot be read. */
    readonly problem: Problem | undefined,
  ) {}

  /** Opens the index at `path`; undefined when there is none. */
  static async open(path: string, deadline: ReadDeadline): Promise<IndexCheck | undefined> {
    let file: OpenFile;
    try {
      file = await deadline.wait(OpenFile.openToRead(path), 'open', path);
    } catch (error) {
      if (error instanceof IoFault && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw error;
    }
    const head = new Uint8Array(HEAD);
    const length = await deadline.wait(file.readLater(head, head.length, 0), 'read', path, 0);
    const reader = new IndexReader();
    reader.feed(head.subarray(0, length));
    if (length < head.length) reader.finish();
    return new IndexCheck(file, deadline, reader.end, reader.problem && malformed(reader.problem));
  }

  /**
   * Compares the file with `right`, the newest records up to `end`, byte for byte as ZODB writes them. Reports every
   * entry that differs. Uses no memory per object as long as they are equal. `isUnknown`: whether a position lies in
   * damaged bytes.
   */
  async compare(
    right: ObjectIndex,
    isUnknown: (position: number) => boolean,
    onProblem: (problem: Problem) => void,
  ): Promise<void> {
    if (await this.isEqualTo(right)) return;
    const reader = new IndexReader();
    await this.readWith(reader);
    if (reader.problem) onProblem(malformed(reader.problem));
    else {
      reportDifferences(right, reader.index, 'right', isUnknown, onProblem);
      reportDifferences(reader.index, right, 'theirs', isUnknown, onProblem);
    }
  }

  /**
   * Passes its entries to `receiver`, oids ascending. Returns false if the file breaks off as an index; some entries
   * may have been passed by then.
   */
  async report(receiver: EntryReceiver): Promise<boolean> {
    const reader = new IndexReader(receiver);
    await this.readWith(reader);
    return reader.complete;
  }

  close(): void {
    this.file.closeWhenIdle();
  }

  private async readWith(reader: IndexReader): Promise<void> {
    for (let at = 0, more = true; more; at += PIECE) {
      const piece = await this.read(at, PIECE);
      reader.feed(piece);
      more = piece.length === PIECE;
    }
    reader.finish();
  }

  private async isEqualTo(right: ObjectIndex): Promise<boolean> {
    let at = 0;
    for (const expected of encodeIndex(right, this.end)) {
      const bytes = await this.read(at, expected.length);
      if (Buffer.compare(bytes, expected) !== 0) return false;
      at += expected.length;
    }
    return (await this.read(at, 1)).length === 0;
  }

  private async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const { file, deadline } = this;
    const count = await deadline.wait(file.readLater(bytes, length, position), 'read', file.path, position);
    return bytes.subarray(0, count);
  }
}

/** ZODB logs that it cannot load such an index, and scans the file. */
function malformed(problem: { readonly position: number; readonly message: string }): Problem {
  const message = `Data.fs.index cannot be read: at its byte ${problem.position}, ${problem.message}`;
  return { position: 0, within: 0, tid: 0n, rule: 'index', message, severity: 'warned' };
}

/** Iterates the entries of `one`. An entry that both have is reported in the pass in which `one` is right. */
function reportDifferences(
  one: ObjectIndex,
  other: ObjectIndex,
  which: 'right' | 'theirs',
  isUnknown: (position: number) => boolean,
  onProblem: (problem: Problem) => void,
): void {
  for (const bucket of one.buckets()) {
    const { high, middle, size, suffixes } = bucket;
    for (let n = 0; n < size; n++) {
      const low = ((middle << 16) | (suffixes[n] ?? 0)) >>> 0;
      const here = bucket.position(n);
      const there = other.get(high, low);
      if (here === there || isUnknown(here) || isUnknown(there) || (which === 'theirs' && there !== 0)) continue;
      const oid = ((BigInt(high) << 32n) | BigInt(low)).toString(16).padStart(16, '0');
      const [right, theirs] = which === 'right' ? [here, there] : [there, here];
      const truth = right === 0 ? 'the file has no record of it' : `its newest record stands at ${right}`;
      const message = `Data.fs.index ${theirs === 0 ? 'lacks' : `leads to ${theirs} for`} object ${oid}: ${truth}`;
      const position = right || theirs;
      onProblem({ position, within: position, tid: 0n, rule: 'index', message, severity: 'unnoticed' });
    }
  }
}
