import { type RecordToWrite, recordPositions, type TransactionToWrite } from '../filestorage/encode.js';
import {
  bodyOffset,
  MAGIC_LENGTH,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';

/** Every committed transaction of a file, oldest first. */
export type History = readonly TransactionToWrite[];

/**
 * The committed transactions of a complete Data.fs, up to the first that is in flight or truncated, which is where
 * FileStorage truncates the file when it opens it. For files from the demo's own writer or from ZODB; it checks nothing
 * else.
 */
export function readHistory(file: Uint8Array): TransactionToWrite[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const history: TransactionToWrite[] = [];
  let position = MAGIC_LENGTH;
  while (position + TRANSACTION_HEADER_LENGTH <= file.length) {
    const header = readTransactionHeader(view, position);
    const end = position + header.length;
    if (header.status === STATUS_IN_FLIGHT || end + TRAILER_LENGTH > file.length) break;
    const userEnd = position + TRANSACTION_HEADER_LENGTH + header.userLength;
    const descriptionEnd = userEnd + header.descriptionLength;
    const body = position + bodyOffset(header);
    history.push({
      tid: header.tid,
      position,
      status: header.status,
      user: file.subarray(userEnd - header.userLength, userEnd),
      description: file.subarray(userEnd, descriptionEnd),
      extension: file.subarray(descriptionEnd, body),
      records: readRecords(file, view, body, end),
    });
    position = end + TRAILER_LENGTH;
  }
  return history;
}

function readRecords(file: Uint8Array, view: DataView, start: number, end: number): RecordToWrite[] {
  const records: RecordToWrite[] = [];
  let at = start;
  while (at < end) {
    const oid = view.getBigUint64(at);
    const prev = readPosition(view, at + 16);
    const length = readPosition(view, at + 34);
    const data = at + RECORD_HEADER_LENGTH;
    if (length === 0) records.push({ oid, prev, backPointer: readPosition(view, data) });
    else records.push({ oid, prev, data: file.subarray(data, data + length) });
    at = data + (length === 0 ? 8 : length);
  }
  return records;
}

/** A data record and its position. */
export interface PlacedRecord {
  readonly position: number;
  readonly record: RecordToWrite;
}

/** The records of a transaction with their positions. */
export function placedRecords(transaction: TransactionToWrite): PlacedRecord[] {
  const positions = recordPositions(transaction);
  return transaction.records.map((record, number) => ({ position: positions[number] ?? 0, record }));
}
