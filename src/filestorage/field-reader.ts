import { BLOB_PREFIX } from './blob-record.js';
import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, TRAILER_LENGTH, TRANSACTION_HEADER_LENGTH } from './layout.js';
import type { Stop } from './stop.js';

/** The fields of a Data.fs. */
export enum Expect {
  Transaction,
  Record,
  BackPointer,
  /** The first bytes of a record's data, where those are requested. */
  Data,
  Trailer,
}

/** Length of the longest field. */
const LARGEST_FIELD = Math.max(RECORD_HEADER_LENGTH, BLOB_PREFIX);

/**
 * Splits a file's bytes, fed window by window and in order, into fields. The walk interprets them and decides which
 * field comes next.
 *
 * Invariants:
 *  - It keeps at most one field (80 bytes) between windows, so a transaction may span any number of them.
 *  - The same bytes give the same fields, however they are divided into windows.
 */
export abstract class FieldReader {
  stop: Stop | undefined;

  /** The next field. */
  protected expect: Expect = Expect.Transaction;
  /** Position of the next field. */
  protected at: number;
  /** How many of its bytes have been fed already. */
  private carried = 0;
  /** Position up to which bytes have been fed. */
  private fed: number;
  private readonly carry = new Uint8Array(LARGEST_FIELD);
  private readonly carryView = new DataView(this.carry.buffer);
  /** Length of the field Data. */
  protected dataLength = 0;
  private window: DataView | undefined;
  private windowLength = 0;

  constructor(start: number) {
    this.at = start;
    this.fed = start;
  }

  /** Each handles the field at `offset`, then advances `at` and sets `expect`, or sets `stop`. */
  protected abstract transaction(view: DataView, offset: number): void;
  protected abstract record(view: DataView, offset: number): void;
  protected abstract backPointer(view: DataView, offset: number): void;
  protected abstract data(view: DataView, offset: number): void;
  protected abstract trailer(view: DataView, offset: number): void;

  /**
   * Feeds the next `length` bytes of the file, which begin at offset 0 of `view`. Returns when they are consumed or the
   * walk has stopped (`stop` is set).
   */
  feed(view: DataView, length: number): void {
    const windowStart = this.fed;
    const windowEnd = windowStart + length;
    this.fed = windowEnd;
    this.window = view;
    this.windowLength = length;
    while (this.stop === undefined) {
      const need = this.fieldLength();
      if (this.at + need > windowEnd) {
        this.keep(view, windowStart, windowEnd);
        return;
      }
      if (this.carried === 0) {
        this.field(view, this.at - windowStart);
      } else {
        for (let i = this.carried; i < need; i++) this.carry[i] = view.getUint8(this.at + i - windowStart);
        this.carried = 0;
        this.field(this.carryView, 0);
      }
    }
  }

  /** Whether the view that a field was passed has the bytes up to offset `end` as well. */
  protected isAtHand(view: DataView, end: number): boolean {
    return view === this.window && end <= this.windowLength;
  }

  /** Keeps the first part of a field that continues in the next window. */
  private keep(view: DataView, windowStart: number, windowEnd: number): void {
    const from = Math.max(this.at + this.carried, windowStart);
    for (let position = from; position < windowEnd; position++) {
      this.carry[this.carried++] = view.getUint8(position - windowStart);
    }
  }

  /** Bytes of an incomplete transaction header at the end of what has been fed; 0 when there is none. */
  get headerBegun(): number {
    return this.expect === Expect.Transaction ? this.carried : 0;
  }

  /** Withdraws these bytes, as if they had not been fed. */
  takeHeaderBack(): void {
    this.fed -= this.headerBegun;
    this.carried = 0;
  }

  private fieldLength(): number {
    switch (this.expect) {
      case Expect.Transaction:
        return TRANSACTION_HEADER_LENGTH;
      case Expect.Record:
        return RECORD_HEADER_LENGTH;
      case Expect.BackPointer:
        return BACK_POINTER_LENGTH;
      case Expect.Data:
        return this.dataLength;
      case Expect.Trailer:
        return TRAILER_LENGTH;
    }
  }

  private field(view: DataView, offset: number): void {
    switch (this.expect) {
      case Expect.Transaction:
        return this.transaction(view, offset);
      case Expect.Record:
        return this.record(view, offset);
      case Expect.BackPointer:
        return this.backPointer(view, offset);
      case Expect.Data:
        return this.data(view, offset);
      case Expect.Trailer:
        return this.trailer(view, offset);
    }
  }
}
