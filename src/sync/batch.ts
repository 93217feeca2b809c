import { STATUS_IN_FLIGHT, STATUS_OFFSET, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import type { OpenFile } from '../io/open-file.js';

/**
 * One batch of transactions, appended to the slave with FileStorage's two-step commit.
 *
 * Invariants:
 *  - Until `flip`, a program that opens the slave sees the state before the batch: the first transaction of the batch
 *    has status 'c', and ZODB cuts the file off there. The header with the 'c' is durable before anything behind it is
 *    written. If the body reached the disk without it, ZODB would take the zeros in its place for damage and refuse to
 *    open.
 *  - `flip` changes one byte, after all other bytes are durable. From then on a program that opens the slave sees the
 *    batch.
 *  - Nothing before the batch's start is ever written.
 *  - After the flip the batch is never cut off, durable or not, because somebody may have read it. If it could not be
 *    made durable, it is not claimed, and the next run writes it again.
 */
export class Batch {
  private finalStatus: number | undefined;
  private position: number;
  private highest: number;
  private flipped = false;

  /** `file` ends at `start`, and all bytes before `start` are claimed. */
  constructor(
    private readonly file: OpenFile,
    readonly start: number,
  ) {
    this.position = start;
    this.highest = start;
  }

  get begun(): boolean {
    return this.finalStatus !== undefined;
  }

  /** A program that opens the slave now sees the batch. It may not be durable before `flip` returns. */
  get isVisible(): boolean {
    return this.flipped;
  }

  /** Bytes of the complete transactions and of the one that is being written. */
  get length(): number {
    return this.position - this.start;
  }

  /** Writes bytes that follow those already written. The first bytes must begin with a transaction header. */
  write(bytes: Uint8Array, position: number): void {
    if (position !== this.position)
      throw new RangeError(`batch written to ${this.position}, next piece at ${position}`);
    // Set before the write: a failed write may leave bytes as well.
    this.highest = Math.max(this.highest, position + bytes.length);
    if (this.finalStatus === undefined) {
      this.finalStatus = bytes[STATUS_OFFSET] ?? STATUS_IN_FLIGHT;
      bytes[STATUS_OFFSET] = STATUS_IN_FLIGHT;
      this.file.write(bytes.subarray(0, TRANSACTION_HEADER_LENGTH), position);
      this.file.syncData();
    }
    this.file.write(bytes, position);
    this.position = position + bytes.length;
  }

  /**
   * Goes back to `end`, the end of the last complete transaction. Bytes beyond it belong to an incomplete transaction.
   */
  goBackTo(end: number): void {
    this.position = end;
    if (end === this.start) this.finalStatus = undefined;
  }

  /** Makes all written bytes durable and cuts off the remains of an incomplete transaction. */
  settle(): void {
    if (this.highest > this.position) {
      this.file.truncate(this.position);
      this.file.sync();
      this.highest = this.position;
    } else if (this.begun) {
      this.file.syncData();
    }
  }

  flip(): void {
    if (this.finalStatus === undefined) return;
    this.file.write(Uint8Array.of(this.finalStatus), this.start + STATUS_OFFSET);
    this.flipped = true;
    this.file.syncData();
  }

  /**
   * Removes all written bytes, unless they are visible. Not durable: a batch that a crash brings back begins with a
   * 'c'.
   */
  drop(): void {
    if (this.flipped || this.highest === this.start) return;
    this.file.truncate(this.start);
  }
}
