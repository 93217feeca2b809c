import type { ByteSource } from '../filestorage/backward.js';
import {
  bodyOffset,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  TLOC_OFFSET,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import type { Problem } from '../filestorage/problem.js';

interface Pointer {
  readonly position: number;
  readonly oidHigh: number;
  readonly oidLow: number;
  readonly target: number;
  readonly tid: bigint;
  /** Position of the transaction that contains it. */
  readonly within: number;
}

/** How many pointers of one transaction are kept until its tid is known. */
const MOST_PENDING = 16_384;

/**
 * Back pointers in a window of the file, followed when the walk has finished the window.
 *
 * Each must lead to a record of the same object. That record is checked by its own walk and lies before the pointer. So
 * a chain of pointers ends in data or in a 0, and following one step of each is enough.
 */
export class BackPointers {
  private pending: Pointer[] = [];
  private ready: Pointer[] = [];
  private readonly record = new Uint8Array(RECORD_HEADER_LENGTH);
  private readonly recordView = new DataView(this.record.buffer);
  private readonly transaction = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  private readonly transactionView = new DataView(this.transaction.buffer);

  constructor(private readonly file: ByteSource) {}

  /** `position` is the record that holds the pointer; its transaction may still prove incomplete. */
  add(position: number, oidHigh: number, oidLow: number, target: number): void {
    this.pending.push({ position, oidHigh, oidLow, target, tid: 0n, within: position });
  }

  /** The pointers added since the last call belong to a complete transaction. */
  complete(within: number, tid: bigint): void {
    if (this.pending.length === 0) return;
    for (const pointer of this.pending.splice(0)) this.ready.push({ ...pointer, within, tid });
  }

  /** The pointers added since the last transaction belong to a damaged one. */
  forget(): void {
    this.pending = [];
  }

  /** Follows the pointers of complete transactions; reports each wrong one with the reason. */
  async follow(onWrong: (wrong: Pick<Problem, 'position' | 'within' | 'tid' | 'message'>) => void): Promise<void> {
    if (this.pending.length > MOST_PENDING) this.ready.push(...this.pending.splice(0));
    for (const pointer of this.ready) {
      const wrong = await this.wrong(pointer);
      if (wrong === undefined) continue;
      const message = `back pointer ${pointer.target} leads to ${wrong}`;
      const { within, tid } = pointer;
      onWrong({ position: pointer.position + RECORD_HEADER_LENGTH, within, tid, message });
    }
    this.ready = [];
  }

  private async wrong({ position, oidHigh, oidLow, target }: Pointer): Promise<string | undefined> {
    if (target >= position) return 'no place before its record';
    if ((await this.file.readBytes(this.record, target)) < RECORD_HEADER_LENGTH) return 'the end of the file';
    const view = this.recordView;
    const transaction = readPosition(view, TLOC_OFFSET);
    if (!(transaction < target)) return 'no record';
    if ((await this.file.readBytes(this.transaction, transaction)) < TRANSACTION_HEADER_LENGTH) return 'no record';
    const header = readTransactionHeader(this.transactionView, 0);
    const within = target - transaction;
    if (within < bodyOffset(header) || within + RECORD_HEADER_LENGTH > header.length) return 'no record';
    if (view.getUint32(0) !== oidHigh || view.getUint32(4) !== oidLow) return 'a record of another object';
    return undefined;
  }
}
