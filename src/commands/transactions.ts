import type { FoundTransaction } from '../filestorage/backward.js';
import { TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { sourceOf } from '../lineage/file-source.js';
import { TransactionCursor } from '../lineage/transaction-cursor.js';
import type { Readable } from '../pipeline/scan.js';

/** One transaction, as commands print it. */
export interface Described {
  readonly tid: string;
  readonly time: string | null;
  readonly user: string;
  readonly description: string;
  /** Number of records. */
  readonly objects: number;
  /** Length in the file, with header and trailer. */
  readonly bytes: number;
  readonly position: number;
}

export async function describe(file: Readable, found: FoundTransaction): Promise<Described> {
  const { position, end, tid, userLength, descriptionLength } = found;
  const text = new Uint8Array(userLength + descriptionLength);
  await file.readBytes(text, position + TRANSACTION_HEADER_LENGTH);
  return {
    tid: formatTid(tid),
    time: tidToIso(tid),
    user: Buffer.from(text.subarray(0, userLength)).toString('utf8'),
    description: Buffer.from(text.subarray(userLength)).toString('utf8'),
    objects: await countRecords(file, found),
    bytes: end - position,
    position,
  };
}

/** Reads through a buffer: a transaction may have hundreds of thousands of records. */
async function countRecords(file: Readable, { position, end }: FoundTransaction): Promise<number> {
  const cursor = new TransactionCursor(sourceOf(file, end), position);
  const transaction = await cursor.next();
  let count = 0;
  while (transaction && (await cursor.nextRecord(transaction))) count++;
  return count;
}
