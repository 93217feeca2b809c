import { writePosition } from '../filestorage/encode.js';
import {
  BACK_POINTER_LENGTH,
  bodyOffset,
  MAGIC_LENGTH,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  STATUS_UNDONE,
  TLOC_OFFSET,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import { BackData, type DataPlace } from './back-data.js';
import { MovedPositions } from './moved-positions.js';
import { type Range, RangeDamaged } from './range.js';
import { RangeReader } from './range-reader.js';
import type { ThinOutput } from './thin-output.js';

const PREVIOUS_OFFSET = 16;
const DATA_LENGTH_OFFSET = 34;
/** Bytes after which signals are let in: reads of a local file do not wait, so nothing else does. */
const TURN_BYTES = 1 << 23;

/** A record in the original. */
interface Original {
  readonly position: number;
  readonly oidHigh: number;
  readonly oidLow: number;
  readonly dataLength: number;
  /** Meaningful where there is no data. */
  readonly back: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Copies the transactions of a range, which was validated, so that they are a file of their own:
 *
 *  - tids, texts, statuses and data are kept; lengths and positions are those of the copy;
 *  - the previous pointer leads to the object's previous record in the copy, or nowhere (0);
 *  - a back pointer into the range is moved; one to before it is replaced by the data that it stands for, because the copy has
 *    no such record; 0, the undo of an object's creation, stays 0.
 *
 * Memory: 6 to 40 bytes for each object, and three buffers, whatever the size of a transaction or of a record.
 */
export class ThinCopy {
  private readonly reader: RangeReader;
  /** For data from before the range: the other reader goes on after it. */
  private readonly before: RangeReader;
  private readonly backData: BackData;
  private readonly newest = new ObjectIndex();
  private readonly moved = new MovedPositions();
  private readonly header = new Uint8Array(RECORD_HEADER_LENGTH);
  private readonly headerView = new DataView(this.header.buffer);
  /** Of the transaction that is being copied, in the original and in the copy. */
  private transactionAt = 0;
  private copyAt = 0;
  private turnAt = TURN_BYTES;

  constructor(
    private readonly range: Range,
    private readonly output: ThinOutput,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.reader = new RangeReader(range.source);
    this.before = new RangeReader(range.source);
    this.backData = new BackData(range.source);
  }

  /** Number of objects that were copied. */
  get objects(): number {
    return this.newest.size;
  }

  async run(): Promise<void> {
    this.output.put((await this.reader.bytes(0, MAGIC_LENGTH)).slice());
    for (let position = this.range.from; position < this.range.end; ) position = await this.transaction(position);
    this.output.flush();
  }

  /** Copies the transaction at `position`. Returns the position behind it. */
  private async transaction(position: number): Promise<number> {
    const { output } = this;
    this.transactionAt = position;
    this.copyAt = output.position;
    const header = readTransactionHeader(viewOf(await this.reader.bytes(position, TRANSACTION_HEADER_LENGTH)), 0);
    const body = position + bodyOffset(header);
    const end = position + header.length;
    output.put(await this.reader.bytes(position, body - position));
    // ZODB skips the body of an undone transaction, whatever it holds; but a pointer may lead into it.
    if (header.status === STATUS_UNDONE) {
      this.moved.note(body, output.position);
      await this.data({ position: body, length: end - body });
    } else for (let at = body; at < end; ) at = await this.record(at);
    const length = output.position - this.copyAt;
    output.setNumber(this.copyAt + 8, length);
    output.putNumber(length);
    return end + TRAILER_LENGTH;
  }

  private async record(position: number): Promise<number> {
    const head = await this.reader.bytes(position, RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH);
    const view = viewOf(head);
    const original: Original = {
      position,
      oidHigh: view.getUint32(0),
      oidLow: view.getUint32(4),
      dataLength: readPosition(view, DATA_LENGTH_OFFSET),
      back: readPosition(view, RECORD_HEADER_LENGTH),
    };
    this.header.set(head.subarray(0, RECORD_HEADER_LENGTH));
    const { dataLength, back } = original;
    const dataAt = position + RECORD_HEADER_LENGTH;
    if (dataLength > 0) await this.recordWithData(original, { position: dataAt, length: dataLength });
    else if (back === 0 || back >= this.range.from) await this.recordWithPointer(original);
    else {
      const place = await this.backData.behind(back, this.headerView.getBigUint64(0), position);
      if (place === 'broken') throw this.brokenPointer(original);
      if (place) await this.recordWithData(original, place);
      else await this.recordWithPointer({ ...original, back: 0 });
    }
    return dataAt + (dataLength || BACK_POINTER_LENGTH);
  }

  private async recordWithData(original: Original, place: DataPlace): Promise<void> {
    this.putHeader(original, place.length);
    await this.data(place);
  }

  private async recordWithPointer(original: Original): Promise<void> {
    const { back } = original;
    // Only what was copied can be pointed to: a pointer into the middle of a record would lead to other bytes in the copy.
    if (back > 0 && !(await this.backData.isRecordOf(this.headerView.getBigUint64(0), back)))
      throw this.brokenPointer(original);
    const moved = back === 0 ? 0 : this.moved.of(back);
    this.putHeader(original, 0);
    this.output.putNumber(moved);
  }

  private putHeader({ position, oidHigh, oidLow }: Original, dataLength: number): void {
    const { output, headerView } = this;
    const at = output.position;
    this.moved.note(position, at);
    const newest = this.newest.set(oidHigh, oidLow, at);
    writePosition(headerView, TLOC_OFFSET, this.copyAt, 'position');
    writePosition(headerView, DATA_LENGTH_OFFSET, dataLength, 'data length');
    // Of two records of an object in one transaction, as of a blob's, ZODB lets both lead to the transaction before.
    const previous = newest >= this.copyAt ? output.numberAt(newest + PREVIOUS_OFFSET) : BigInt(newest);
    headerView.setBigUint64(PREVIOUS_OFFSET, previous);
    output.put(this.header);
  }

  private async data({ position, length }: DataPlace): Promise<void> {
    const reader = position < this.range.from ? this.before : this.reader;
    await reader.pieces(position, position + length, (piece) => this.output.put(piece));
    if (this.output.position < this.turnAt) return;
    this.turnAt = this.output.position + TURN_BYTES;
    await new Promise(setImmediate);
    if (this.signal?.aborted) throw new Interrupted();
  }

  private brokenPointer({ position, back }: Original): RangeDamaged {
    const problem = `back pointer ${back} leads to no record of its object`;
    const at = position + RECORD_HEADER_LENGTH;
    return new RangeDamaged(this.range.source.path, this.transactionAt, at, 'back-pointer', problem);
  }
}
