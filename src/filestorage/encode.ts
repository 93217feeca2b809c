import {
  BACK_POINTER_LENGTH,
  RECORD_HEADER_LENGTH,
  STATUS_OFFSET,
  TLOC_OFFSET,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from './layout.js';

/**
 * A data record with its own data, or with a back pointer to the earlier record that has it (0: undo of the object's
 * creation).
 */
export type RecordToWrite = { readonly oid: bigint; readonly prev: number } & (
  | { readonly data: Uint8Array }
  | { readonly backPointer: number }
);

/** A transaction to be encoded; `position` is the file position of its header. */
export interface TransactionToWrite {
  readonly tid: bigint;
  readonly position: number;
  readonly status: number;
  readonly user: Uint8Array;
  readonly description: Uint8Array;
  readonly extension: Uint8Array;
  readonly records: readonly RecordToWrite[];
}

const LONGEST_TEXT = 0xffff;
const HIGHEST_64_BITS = 0xffff_ffff_ffff_ffffn;

/**
 * The transaction's bytes with its trailer, as they belong at `position` (ZODB: FileStorage/format.py,
 * TxnHeader.asString and DataHeader.asString). Throws a RangeError when a value does not fit its field, or when data is
 * empty: length 0 means a back pointer.
 */
export function encodeTransaction(transaction: TransactionToWrite): Uint8Array {
  const length = encodedLength(transaction);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const { user, description, extension } = transaction;

  writeId(view, 0, transaction.tid, 'tid');
  writePosition(view, 8, length - TRAILER_LENGTH, 'transaction length');
  view.setUint8(STATUS_OFFSET, transaction.status);
  let at = TRANSACTION_HEADER_LENGTH;
  for (const [field, text] of [user, description, extension].entries()) {
    if (text.length > LONGEST_TEXT) throw new RangeError(`text of ${text.length} bytes exceeds ${LONGEST_TEXT}`);
    view.setUint16(STATUS_OFFSET + 1 + 2 * field, text.length);
    bytes.set(text, at);
    at += text.length;
  }
  for (const record of transaction.records) {
    writeRecordHeader(view, at, record, transaction);
    if ('data' in record) bytes.set(record.data, at + RECORD_HEADER_LENGTH);
    else writePosition(view, at + RECORD_HEADER_LENGTH, record.backPointer, 'back pointer');
    at += recordLength(record);
  }
  writePosition(view, at, length - TRAILER_LENGTH, 'trailer');
  return bytes;
}

/** Length of the encoded transaction in bytes, trailer included. */
export function encodedLength(transaction: TransactionToWrite): number {
  const body = transaction.records.reduce((sum, record) => sum + recordLength(record), 0);
  return firstRecordOffset(transaction) + body + TRAILER_LENGTH;
}

/** File position of each record's header, in the order of `records`. */
export function recordPositions(transaction: TransactionToWrite): number[] {
  let at = transaction.position + firstRecordOffset(transaction);
  return transaction.records.map((record) => {
    const position = at;
    at += recordLength(record);
    return position;
  });
}

function firstRecordOffset({ user, description, extension }: TransactionToWrite): number {
  return TRANSACTION_HEADER_LENGTH + user.length + description.length + extension.length;
}

function recordLength(record: RecordToWrite): number {
  if (!('data' in record)) return RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH;
  if (record.data.length === 0) throw new RangeError(`record of oid ${record.oid} has no data and no back pointer`);
  return RECORD_HEADER_LENGTH + record.data.length;
}

function writeRecordHeader(view: DataView, at: number, record: RecordToWrite, transaction: TransactionToWrite): void {
  writeId(view, at, record.oid, 'oid');
  writeId(view, at + 8, transaction.tid, 'tid');
  writePosition(view, at + 16, record.prev, 'previous pointer');
  writePosition(view, at + TLOC_OFFSET, transaction.position, 'position');
  view.setUint16(at + 32, 0);
  writePosition(view, at + 34, 'data' in record ? record.data.length : 0, 'data length');
}

function writeId(view: DataView, at: number, id: bigint, what: string): void {
  if (id < 0n || id > HIGHEST_64_BITS) throw new RangeError(`${what} ${id} does not fit 64 bits`);
  view.setBigUint64(at, id);
}

/** Writes a position, a length or an oid of at most 53 bits as 64 bits. Throws a RangeError when it does not fit. */
export function writePosition(view: DataView, at: number, position: number, what: string): void {
  if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`${what} ${position} does not fit 53 bits`);
  view.setUint32(at, Math.floor(position / 0x1_0000_0000));
  view.setUint32(at + 4, position % 0x1_0000_0000);
}
