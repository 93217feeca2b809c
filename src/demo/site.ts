import {
  encodedLength,
  encodeTransaction,
  type RecordToWrite,
  type TransactionToWrite,
} from '../filestorage/encode.js';
import {
  MAGIC_LENGTH,
  type Magic,
  magicOf,
  STATUS_COMMITTED,
  STATUS_IN_FLIGHT,
  STATUS_OFFSET,
} from '../filestorage/layout.js';
import { timeToTid } from '../filestorage/tid.js';
import { removeIfThere, rename } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { type History, placedRecords, readHistory } from './history.js';
import { packHistory } from './pack.js';
import { pickleMapping, type Value } from './pickle.js';

/** A record to commit: new data, or the undo of the object's latest change. */
export type Edit = { readonly oid: bigint } & ({ readonly data: Uint8Array } | { readonly undo: true });

export interface Change {
  readonly user?: string;
  readonly description?: string;
  readonly edits: readonly Edit[];
}

export interface SiteOptions {
  /** Milliseconds since the epoch; tids are made from it. */
  readonly clock?: () => number;
  readonly magic?: Magic;
}

interface LatestRecord {
  readonly position: number;
  readonly prev: number;
}

const ROOT = 0n;
/** Objects from here on have blobs; the root names pages only. */
export const FIRST_BLOB = 1n << 40n;
const utf8 = new TextEncoder();

/**
 * A site's database. It writes its Data.fs exactly as ZODB's FileStorage does, as far as a reader of the file can see.
 *
 * Invariants:
 * - Bytes below `committedEnd` never change, except by `pack`, which replaces the file.
 * - Beyond `committedEnd` there is nothing, or the one transaction that has been voted, with status 'c'.
 * - The status byte is the only byte that is ever written twice; `finish` makes it durable with everything before it.
 * - Tids ascend strictly, whatever the clock does.
 * - `history` is the file's contents up to `committedEnd`; `latest` names the newest record of every object in it.
 */
export class Site {
  private history: TransactionToWrite[] = [];
  private latest = new Map<bigint, LatestRecord>();
  private inFlight: TransactionToWrite | undefined;

  private constructor(
    private file: OpenFile,
    private readonly path: string,
    private readonly magic: Magic,
    private readonly clock: () => number,
  ) {}

  /** Creates a file at `path`, with an empty root object as its first transaction. */
  static create(path: string, { clock = Date.now, magic = 'FS30' }: SiteOptions = {}): Site {
    const site = new Site(createWithMagic(path, magic), path, magic, clock);
    site.commit({ description: 'initial database creation', edits: [{ oid: ROOT, data: pickleMapping([]) }] });
    return site;
  }

  /** Opens a file as FileStorage does at server start: truncates an in-flight transaction at its end. */
  static open(path: string, { clock = Date.now }: Pick<SiteOptions, 'clock'> = {}): Site {
    const file = OpenFile.openToWrite(path);
    const bytes = new Uint8Array(file.facts().size);
    file.read(bytes, bytes.length, 0);
    const magic = magicOf(bytes);
    if (magic === undefined) throw new Error(`${path} is not a Data.fs`);
    const site = new Site(file, path, magic, clock);
    site.remember(readHistory(bytes));
    if (site.committedEnd < bytes.length) file.truncate(site.committedEnd);
    return site;
  }

  get transactions(): History {
    return this.history;
  }

  get lastTid(): bigint {
    return this.history.at(-1)?.tid ?? 0n;
  }

  get committedEnd(): number {
    const last = this.history.at(-1);
    return last === undefined ? MAGIC_LENGTH : last.position + encodedLength(last);
  }

  /** Writes the complete transaction after the committed end, with status 'c'. Returns its tid. */
  vote(change: Change): bigint {
    if (this.inFlight !== undefined) throw new Error('a transaction is in flight already');
    const position = this.committedEnd;
    const tid = timeToTid(this.clock());
    this.inFlight = {
      tid: tid > this.lastTid ? tid : this.lastTid + 1n,
      position,
      status: STATUS_IN_FLIGHT,
      user: utf8.encode(change.user ?? ''),
      description: utf8.encode(change.description ?? ''),
      extension: new Uint8Array(),
      records: change.edits.map((edit) => this.recordOf(edit)),
    };
    this.file.write(encodeTransaction(this.inFlight), position);
    return this.inFlight.tid;
  }

  finish(): void {
    const transaction = this.takeInFlight();
    this.file.write(Uint8Array.of(STATUS_COMMITTED), transaction.position + STATUS_OFFSET);
    this.file.sync();
    this.remember([{ ...transaction, status: STATUS_COMMITTED }]);
  }

  abort(): void {
    this.file.truncate(this.takeInFlight().position);
  }

  /** Vote and finish. Returns the tid. */
  commit(change: Change): bigint {
    const tid = this.vote(change);
    this.finish();
    return tid;
  }

  /** A change that gives pages these texts, by number from 1. A page is an object whose oid is the page's number. */
  pages(texts: ReadonlyMap<number, string>, description = 'edited'): Change {
    const edits: Edit[] = [...texts].map(([page, text]) => ({
      oid: BigInt(page),
      data: pickleMapping([['text', text]]),
    }));
    const added = edits.filter(({ oid }) => !this.latest.has(oid));
    if (added.length > 0) {
      const all = [...this.latest.keys(), ...added.map(({ oid }) => oid)].filter(
        (oid) => oid !== ROOT && oid < FIRST_BLOB,
      );
      edits.unshift({ oid: ROOT, data: pickleMapping(all.map((oid): [string, Value] => [`page-${oid}`, oid])) });
    }
    return { user: 'editor', description, edits };
  }

  /**
   * Packs up to `packTid` as ZODB's FileStorage.pack does: removes an older Data.fs.old, writes Data.fs.pack, then
   * renames Data.fs to Data.fs.old and Data.fs.pack to Data.fs. Returns false and leaves the file unchanged when there
   * is nothing to free.
   */
  pack(packTid: bigint = this.lastTid): boolean {
    if (this.inFlight !== undefined) throw new Error('a pack waits for the transaction in flight');
    // ZODB does this before it knows whether anything can be freed, so even a pack without effect removes Data.fs.old.
    removeIfThere(`${this.path}.old`);
    const packed = packHistory(this.history, packTid);
    const last = packed.at(-1);
    if (last === undefined || last.position + encodedLength(last) === this.committedEnd) return false;

    removeIfThere(`${this.path}.pack`);
    const file = createWithMagic(`${this.path}.pack`, this.magic);
    for (const transaction of packed) file.write(encodeTransaction(transaction), transaction.position);
    file.sync();
    rename(this.path, `${this.path}.old`);
    rename(`${this.path}.pack`, this.path);
    this.file.close();
    this.file = file;
    this.history = [];
    this.latest = new Map();
    this.remember(packed);
    return true;
  }

  close(): void {
    this.file.close();
  }

  private remember(transactions: readonly TransactionToWrite[]): void {
    for (const transaction of transactions) {
      this.history.push(transaction);
      for (const { position, record } of placedRecords(transaction)) {
        this.latest.set(record.oid, { position, prev: record.prev });
      }
    }
  }

  private takeInFlight(): TransactionToWrite {
    if (this.inFlight === undefined) throw new Error('no transaction is in flight');
    const transaction = this.inFlight;
    this.inFlight = undefined;
    return transaction;
  }

  private recordOf(edit: Edit): RecordToWrite {
    const latest = this.latest.get(edit.oid);
    const prev = latest?.position ?? 0;
    return 'data' in edit
      ? { oid: edit.oid, prev, data: edit.data }
      : { oid: edit.oid, prev, backPointer: latest?.prev ?? 0 };
  }
}

function createWithMagic(path: string, magic: Magic): OpenFile {
  const file = OpenFile.createNew(path, 0o644);
  file.write(utf8.encode(magic), 0);
  return file;
}
