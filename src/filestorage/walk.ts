import { BlobFinder } from './blob-finder.js';
import { Expect } from './field-reader.js';
import {
  BACK_POINTER_LENGTH,
  FINISHED_STATUSES,
  RECORD_HEADER_LENGTH,
  readPosition,
  STATUS_IN_FLIGHT,
  STATUS_OFFSET,
  STATUS_UNDONE,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from './layout.js';
import type { Rule, WalkWarning } from './stop.js';
import type { WalkEvents, WalkOptions } from './walk-options.js';

const WARNINGS_KEPT = 100;

/**
 * The validated walk: a resumable state machine that is fed a file's bytes window by window, in order.
 *
 * Invariants:
 *  - `end` is always a transaction boundary. Every transaction between the start and `end` is complete, finished and
 *    satisfies every rule below. Nothing is guaranteed about bytes at or beyond `end`.
 *  - It is total: any bytes lead to progress or to a stop with its position. No loop and no allocation depends on a
 *    length that the file states; data beyond a window is skipped by arithmetic.
 */
export class Walk extends BlobFinder {
  /** Position after the last complete transaction. */
  end: number;
  firstTid = 0n;
  lastTid: bigint;
  transactions = 0;
  records = 0;
  readonly warnings: WalkWarning[] = [];
  warningCount = 0;

  private readonly limit: number;
  private readonly cutAt: number;
  private readonly pointersUnchecked: boolean;

  private transactionEnd = 0;
  private transactionLength = 0;
  private status = 0;
  private previous = 0;
  private transactionRecords = 0;
  private strayRecordTids = 0;
  private tidHigh = 0;
  private tidLow = 0;

  constructor(
    options: WalkOptions,
    private readonly events: WalkEvents = {},
  ) {
    super(options.start, options.blobs);
    this.end = options.start;
    this.limit = options.limit;
    this.cutAt = options.cutAt;
    this.pointersUnchecked = options.pointersUnchecked === true;
    this.lastTid = options.lastTid;
    if (this.at >= this.limit) this.stopAtEnd();
  }

  /** Where the transaction ends whose header was read last, with its trailer. It may have ended already. */
  get headerEnd(): number {
    return this.transactionEnd + TRAILER_LENGTH;
  }

  /** Marks the end of the bytes: the file ended before the limit. */
  finish(): void {
    if (this.stop === undefined) this.stop = { kind: 'torn', position: this.end };
  }

  protected override transaction(view: DataView, offset: number): void {
    const position = this.at;
    this.tidHigh = view.getUint32(offset);
    this.tidLow = view.getUint32(offset + 4);
    const length = readPosition(view, offset + 8);
    this.status = view.getUint8(offset + STATUS_OFFSET);
    const body =
      TRANSACTION_HEADER_LENGTH +
      view.getUint16(offset + 17) +
      view.getUint16(offset + 19) +
      view.getUint16(offset + 21);
    this.transactionLength = length;
    this.transactionEnd = position + length;
    this.transactionRecords = 0;
    this.strayRecordTids = 0;

    if (this.status === STATUS_IN_FLIGHT) {
      this.stop = { kind: 'in-flight', position, length };
      return;
    }
    if (this.transactionEnd + TRAILER_LENGTH > this.limit || isZero(view, offset)) {
      this.stop = { kind: 'torn', position };
      return;
    }
    if (length < body) {
      return this.damaged(
        position + 8,
        'transaction-length',
        `length ${length} is less than its own header of ${body}`,
      );
    }
    if (this.status >= 0x80) {
      return this.damaged(position + STATUS_OFFSET, 'status', `status byte 0x${this.status.toString(16)}`);
    }
    if (this.status === STATUS_UNDONE || length === body) {
      // ZODB skips the body of an undone transaction, whatever it holds.
      this.at = this.transactionEnd;
      this.expect = Expect.Trailer;
    } else {
      this.at = position + body;
      this.expectRecord();
    }
  }

  protected override expectNext(): void {
    if (this.at === this.transactionEnd) this.expect = Expect.Trailer;
    else this.expectRecord();
  }

  /** The next field is a record header. Checks that it fits before waiting for its bytes, which may never come. */
  private expectRecord(): void {
    this.expect = Expect.Record;
    if (this.at + RECORD_HEADER_LENGTH > this.transactionEnd) {
      this.damaged(this.at, 'record-length', "record header ends beyond the transaction's end");
    }
  }

  protected override record(view: DataView, offset: number): void {
    const position = this.at;
    this.recordPosition = position;
    const tloc = readPosition(view, offset + 24);
    if (tloc !== this.end) {
      return this.damaged(position + 24, 'record-tloc', `record names transaction ${tloc}, it is in ${this.end}`);
    }
    const recordTidHigh = view.getUint32(offset + 8);
    const recordTidLow = view.getUint32(offset + 12);
    if (recordTidHigh !== this.tidHigh || recordTidLow !== this.tidLow) {
      // FileStorage accepts such a record silently. restore() writes zero when it is given no serial.
      if (recordTidHigh !== 0 || recordTidLow !== 0) this.strayRecordTids++;
    }
    const previous = readPosition(view, offset + 16);
    if (previous >= position && !this.pointersUnchecked) {
      return this.damaged(position + 16, 'previous-pointer', `previous record ${previous} is not before ${position}`);
    }
    const versionLength = view.getUint16(offset + 32);
    if (versionLength !== 0) {
      return this.damaged(position + 32, 'version-length', `version length ${versionLength}, must be 0`);
    }
    const dataLength = readPosition(view, offset + 34);
    const bodyLength = dataLength === 0 ? BACK_POINTER_LENGTH : dataLength;
    const next = position + RECORD_HEADER_LENGTH + bodyLength;
    if (next > this.transactionEnd) {
      const available = this.transactionEnd - position - RECORD_HEADER_LENGTH;
      return this.damaged(position + 34, 'record-length', `data length ${bodyLength} exceeds available ${available}`);
    }
    this.transactionRecords++;
    this.oidHigh = view.getUint32(offset);
    this.oidLow = view.getUint32(offset + 4);
    this.previous = previous;
    const hasOwnTid = recordTidHigh !== 0 || recordTidLow !== 0;
    this.recordTidHigh = hasOwnTid ? recordTidHigh : this.tidHigh;
    this.recordTidLow = hasOwnTid ? recordTidLow : this.tidLow;
    if (dataLength === 0) {
      this.at = position + RECORD_HEADER_LENGTH;
      this.expect = Expect.BackPointer;
    } else {
      this.at = next;
      this.events.onRecord?.(position, this.oidHigh, this.oidLow, previous, dataLength, 0);
      if (this.blobs === undefined) return this.expectNext();
      this.lookForBlob(view, offset + RECORD_HEADER_LENGTH, dataLength);
    }
  }

  protected override backPointer(view: DataView, offset: number): void {
    const target = readPosition(view, offset);
    if (target >= this.recordPosition && !this.pointersUnchecked) {
      return this.damaged(this.at, 'back-pointer', `back pointer ${target} is not before ${this.recordPosition}`);
    }
    this.at += BACK_POINTER_LENGTH;
    this.events.onRecord?.(this.recordPosition, this.oidHigh, this.oidLow, this.previous, 0, target);
    if (target > 0) this.blobs?.undo(this.oidHigh, this.oidLow, this.recordTidHigh, this.recordTidLow, target);
    this.expectNext();
  }

  protected override trailer(view: DataView, offset: number): void {
    const length = readPosition(view, offset);
    if (length !== this.transactionLength) {
      return this.damaged(
        this.at,
        'trailer',
        `length ${length} in the trailer, ${this.transactionLength} in the header`,
      );
    }
    const position = this.end;
    const tid = this.tid();
    if (tid <= this.lastTid) this.warn({ position, tid, rule: 'tid-order' });
    if (!FINISHED_STATUSES.has(this.status)) this.warn({ position, tid, rule: 'unknown-status' });
    if (this.strayRecordTids > 0) this.warn({ position, tid, rule: 'record-tid' });
    if (this.transactions === 0) this.firstTid = tid;
    this.lastTid = tid;
    this.transactions++;
    this.records += this.transactionRecords;
    this.at += TRAILER_LENGTH;
    this.end = this.at;
    this.expect = Expect.Transaction;
    this.blobs?.complete();
    this.events.onTransaction?.(position, this.transactionLength, tid, this.status);
    if (this.at >= this.limit) this.stopAtEnd();
    else if (this.at >= this.cutAt) this.stop = { kind: 'cut', position: this.at };
    else if (this.at + TRANSACTION_HEADER_LENGTH > this.limit) this.stop = { kind: 'torn', position: this.at };
  }

  private stopAtEnd(): void {
    this.stop = { kind: 'end', position: this.end };
  }

  private tid(): bigint {
    return (BigInt(this.tidHigh) << 32n) | BigInt(this.tidLow);
  }

  private damaged(at: number, rule: Rule, message: string): void {
    this.stop = { kind: 'damaged', position: this.end, at, tid: this.tid(), rule, message };
  }

  private warn(warning: WalkWarning): void {
    this.warningCount++;
    this.events.onWarning?.(warning);
    if (this.warnings.length < WARNINGS_KEPT) this.warnings.push(warning);
  }
}

function isZero(view: DataView, offset: number): boolean {
  for (let i = 0; i < TRANSACTION_HEADER_LENGTH; i++) if (view.getUint8(offset + i) !== 0) return false;
  return true;
}
