import type { ByteSource, FoundTransaction } from '../filestorage/backward.js';
import {
  BACK_POINTER_LENGTH,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
  type TransactionHeader,
} from '../filestorage/layout.js';

export interface FoundRecord {
  readonly oid: bigint;
  readonly tid: bigint;
  /** Position of the data, or of the back pointer. */
  readonly dataPosition: number;
  /** 0: the record has a back pointer instead of data. */
  readonly dataLength: number;
}

/** Position of a transaction's first record. */
export function recordsStart(found: FoundTransaction): number {
  return (
    found.position + TRANSACTION_HEADER_LENGTH + found.userLength + found.descriptionLength + found.extensionLength
  );
}

/**
 * Iterates the records of one transaction. Ends early at a length that does not fit: it never leaves the transaction.
 */
export async function* recordsOf(source: ByteSource, found: FoundTransaction): AsyncGenerator<FoundRecord> {
  const header = new Uint8Array(RECORD_HEADER_LENGTH);
  const view = new DataView(header.buffer);
  const end = found.end - TRAILER_LENGTH;
  for (let position = recordsStart(found); position + RECORD_HEADER_LENGTH <= end; ) {
    if ((await source.readBytes(header, position)) < header.length) return;
    const dataLength = readPosition(view, 34);
    const dataPosition = position + RECORD_HEADER_LENGTH;
    position = dataPosition + (dataLength || BACK_POINTER_LENGTH);
    if (position > end) return;
    yield { oid: view.getBigUint64(0), tid: view.getBigUint64(8), dataPosition, dataLength };
  }
}

/** The header at `position`, not validated; undefined where the file, or `limit`, leaves no room for one. */
export async function headerAt(
  source: ByteSource,
  position: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<TransactionHeader | undefined> {
  if (position + TRANSACTION_HEADER_LENGTH > limit) return undefined;
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await source.readBytes(bytes, position)) < bytes.length) return undefined;
  return readTransactionHeader(new DataView(bytes.buffer), 0);
}

/** The transaction at `position`, by its header alone; undefined where the file has no room for a header. */
export async function transactionAt(source: ByteSource, position: number): Promise<FoundTransaction | undefined> {
  const header = await headerAt(source, position);
  return header && { ...header, position, end: position + header.length + TRAILER_LENGTH };
}

/** Whether a transaction's first record has its tid: a flipped bit in a header makes a tid that never existed. */
export async function isConsistent(source: ByteSource, found: FoundTransaction): Promise<boolean> {
  const first = await recordsOf(source, found).next();
  return first.done === true || first.value.tid === found.tid;
}
