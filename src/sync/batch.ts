import { STATUS_IN_FLIGHT, STATUS_OFFSET, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import type { OpenFile } from '../io/open-file.js';

/**
 * One batch of transactions appended to the slave with FileStorage's own two-step commit.
 *
 * Invariants:
 *  - Until `flip`, whoever opens the slave finds the state before the batch: its first transaction has status 'c', and
 *    ZODB cuts a file off there. The header with the 'c' is durable before anything behind it is written; were the body
 *    on disk without it, ZODB would take the zeros in its place for damage and refuse to open.
 *  - `flip` changes one byte, when all the rest is durable: after it, he finds the state after the batch.
 *  - Nothing before the batch's start is ever written.
 *  - Once the byte is flipped the batch is not cut off any more, whether or not that could be made durable: somebody may have
 *    read it. It is not claimed, and the next run writes it again.
 */
export class Batch {
  private finalStatus: number | undefined;
  private position: number;
  private highest: number;
  private flipped = false;

  /** A batch on the slave's file, whose bytes up to `start` are claimed and which ends there. */
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

  /** Whoever opens the slave now finds the batch; before `flip` has returned it may not be durable. */
  get isVisible(): boolean {
    return this.flipped;
  }

  /** Bytes of whole transactions and of the one that is being written. */
  get length(): number {
    return this.position - this.start;
  }

  /** Writes bytes that follow those written before. The first ones begin with a transaction header. */
  write(bytes: Uint8Array, position: number): void {
    if (position !== this.position)
      throw new RangeError(`batch written to ${this.position}, next piece at ${position}`);
    // Beforehand: a write that fails half-way leaves bytes as well.
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

  /** Goes back to `end`, the last whole transaction: what was written beyond it belongs to one that broke off. */
  goBackTo(end: number): void {
    this.position = end;
    if (end === this.start) this.finalStatus = undefined;
  }

  /** Makes everything that was written durable and cuts off what a broken-off transaction has left. */
  settle(): void {
    if (this.highest > this.position) {
      this.file.truncate(this.position);
      this.file.sync();
      this.highest = this.position;
    } else if (this.begun) {
      this.file.syncData();
    }
  }

  /** Makes the batch visible, durably. */
  flip(): void {
    if (this.finalStatus === undefined) return;
    this.file.write(Uint8Array.of(this.finalStatus), this.start + STATUS_OFFSET);
    this.flipped = true;
    this.file.syncData();
  }

  /** Takes back all that was written, unless it is visible. Not made durable: what a crash brings back of it begins with a 'c'. */
  drop(): void {
    if (this.flipped || this.highest === this.start) return;
    this.file.truncate(this.start);
  }
}
