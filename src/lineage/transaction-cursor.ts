import type { FoundTransaction } from '../filestorage/backward.js';
import {
  BACK_POINTER_LENGTH,
  bodyOffset,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  STATUS_UNDONE,
  TLOC_OFFSET,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import { ForwardBytes, type ForwardSource, Short } from './forward-bytes.js';

/** A finished transaction, by its header. */
export interface Transaction extends FoundTransaction {
  /** Position of its first record. */
  readonly recordsAt: number;
  /** Position after its last record; `recordsAt` if its records do not count (status 'u'). */
  readonly recordsEnd: number;
}

/** Why a cursor stopped. */
export type CursorStop =
  | { readonly kind: 'end'; readonly position: number }
  /** A transaction in flight, or the beginning of one: nothing committed follows. */
  | { readonly kind: 'in-flight'; readonly position: number }
  | { readonly kind: 'broken'; readonly position: number; readonly problem: string };

/**
 * Iterates a file's finished transactions forward, and the records of the current one.
 *
 * Invariants: no read goes beyond the source's size. No loop is bounded only by a length that the file states. The
 * record fields are those of the last `nextRecord` that returned true.
 */
export class TransactionCursor {
  readonly buffer: ForwardBytes;
  stop: CursorStop | undefined;
  /** Whether each tid was above the one before. */
  rising = true;

  recordAt = 0;
  oidHigh = 0;
  oidLow = 0;
  tidHigh = 0;
  tidLow = 0;
  /** 0: the record has a back pointer instead of data. */
  dataLength = 0;
  dataAt = 0;
  /** Position that the back pointer names; 0: the object's creation was undone. */
  back = 0;
  /** A record of the transaction was a pointer to earlier data. */
  sawPointer = false;
  private recordsAt = 0;
  private lastTid = 0n;

  constructor(
    readonly source: ForwardSource,
    private position: number,
  ) {
    this.buffer = new ForwardBytes(source);
  }

  /** Continues at another transaction boundary. */
  goTo(position: number): void {
    this.position = position;
    this.stop = undefined;
  }

  /** The next transaction; undefined at the end, see `stop`. Synchronous if its header is already in the buffer. */
  next(): Transaction | undefined | Promise<Transaction | undefined> {
    if (this.stop) return undefined;
    const { position, buffer } = this;
    const ends = this.source.endsAt(position);
    if (ends === false) {
      const offset = buffer.at(position, TRANSACTION_HEADER_LENGTH);
      if (offset >= 0) return this.transactionAt(offset);
    }
    return this.loadTransaction(ends);
  }

  private async loadTransaction(ends: boolean | Promise<boolean>): Promise<Transaction | undefined> {
    const { position } = this;
    if (await ends) return this.ended({ kind: 'end', position });
    try {
      return this.transactionAt(await this.buffer.load(position, TRANSACTION_HEADER_LENGTH));
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      return this.broken('the file ends in the middle of a transaction');
    }
  }

  /** The transaction whose header is in the buffer at `offset`. */
  private transactionAt(offset: number): Transaction | undefined {
    const { position } = this;
    const header = readTransactionHeader(this.buffer.view, offset);
    if (header.status === STATUS_IN_FLIGHT) return this.ended({ kind: 'in-flight', position });
    const end = position + header.length + TRAILER_LENGTH;
    const body = bodyOffset(header);
    if (header.length < body || header.status >= 0x80) return this.broken('a transaction header breaks a rule');
    if (end > this.source.size) return this.broken("a transaction's length leads beyond the end of the file");
    const { tid, status, userLength, descriptionLength, extensionLength } = header;
    if (tid <= this.lastTid) this.rising = false;
    this.lastTid = tid;
    this.position = end;
    const recordsAt = position + body;
    const recordsEnd = status === STATUS_UNDONE ? recordsAt : position + header.length;
    this.recordsAt = recordsAt;
    this.sawPointer = false;
    return { position, end, tid, status, userLength, descriptionLength, extensionLength, recordsAt, recordsEnd };
  }

  /**
   * Moves to the next record of `transaction`, the last one that `next` returned. Returns false behind the last record,
   * or if a record breaks a rule (see `stop`). Synchronous if the record's header is already in the buffer.
   */
  nextRecord(transaction: Transaction): boolean | Promise<boolean> {
    const { buffer, recordsAt: at } = this;
    if (at >= transaction.recordsEnd) return false;
    if (at + RECORD_HEADER_LENGTH > transaction.recordsEnd) {
      return this.brokenAt(transaction, 'a record header ends beyond its transaction');
    }
    const offset = buffer.at(at, RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH);
    return offset >= 0 ? this.recordIn(transaction, offset) : this.loadRecord(transaction, at);
  }

  private async loadRecord(transaction: Transaction, at: number): Promise<boolean> {
    const length = Math.min(RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH, transaction.end - at);
    try {
      return this.recordIn(transaction, await this.buffer.load(at, length));
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      return this.brokenAt(transaction, 'the file ends in the middle of a transaction');
    }
  }

  /** The record whose header is in the buffer at `offset`, with the 8 bytes behind it: at least the trailer follows. */
  private recordIn(transaction: Transaction, offset: number): boolean {
    const { view } = this.buffer;
    const { recordsAt: at } = this;
    const dataLength = readPosition(view, offset + 34);
    const dataAt = at + RECORD_HEADER_LENGTH;
    const next = dataAt + (dataLength || BACK_POINTER_LENGTH);
    if (readPosition(view, offset + TLOC_OFFSET) !== transaction.position || next > transaction.recordsEnd) {
      return this.brokenAt(transaction, 'a record breaks a rule');
    }
    this.recordAt = at;
    this.oidHigh = view.getUint32(offset);
    this.oidLow = view.getUint32(offset + 4);
    this.tidHigh = view.getUint32(offset + 8);
    this.tidLow = view.getUint32(offset + 12);
    this.dataLength = dataLength;
    this.dataAt = dataAt;
    this.recordsAt = next;
    if (dataLength === 0) {
      this.back = readPosition(view, offset + RECORD_HEADER_LENGTH);
      if (this.back > 0) this.sawPointer = true;
    }
    return true;
  }

  /** The tid in the transaction's first record; undefined without records. The cursor stays before it. */
  async firstTid(transaction: Transaction): Promise<bigint | undefined> {
    const found = await this.nextRecord(transaction);
    this.rewindTo(transaction.recordsAt);
    return found ? (BigInt(this.tidHigh) << 32n) | BigInt(this.tidLow) : undefined;
  }

  /** Position of the record that `nextRecord` moves to. */
  get nextRecordAt(): number {
    return this.recordsAt;
  }

  /** Continues with the record at this position, in the current transaction. */
  rewindTo(recordAt: number): void {
    this.recordsAt = recordAt;
  }

  /** The file turned out to end within this transaction, which `next` has returned. */
  endsWithin({ position }: Transaction): void {
    this.stop = { kind: 'broken', position, problem: 'the file ends in the middle of a transaction' };
  }

  private ended(stop: CursorStop): undefined {
    this.stop = stop;
    return undefined;
  }

  private broken(problem: string): undefined {
    return this.ended({ kind: 'broken', position: this.position, problem });
  }

  private brokenAt(transaction: Transaction, problem: string): false {
    this.stop = { kind: 'broken', position: transaction.position, problem };
    return false;
  }
}
