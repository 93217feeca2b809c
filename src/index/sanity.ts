import { BackwardReader, type ByteSource } from '../filestorage/backward.js';
import { RECORD_HEADER_LENGTH, STATUS_COMMITTED, STATUS_PACKED, STATUS_UNDONE } from '../filestorage/layout.js';
import type { ObjectIndex } from '../filestorage/object-index.js';
import { recordsOf } from '../pipeline/records.js';

/** ZODB accepts no index that covers fewer bytes. */
const SMALLEST_COVERED = 100;
const RECORDS_CHECKED = 5;

/**
 * Whether FileStorage would accept this index for the file (its _check_sanity): a transaction ends where the index
 * does, and up to five records of the last transaction that has any are where the index says. Returns the tid of the
 * transaction at the end; undefined if FileStorage would not accept it.
 */
export async function sanityOf(file: ByteSource, index: ObjectIndex, end: number): Promise<bigint | undefined> {
  if (end < SMALLEST_COVERED || end > file.size) return undefined;
  const backward = new BackwardReader(file);
  let tid: bigint | undefined;
  for (let position = end; ; ) {
    const found = await backward.endingAt(position);
    if (!found) return undefined;
    tid ??= found.tid;
    position = found.position;
    if (found.status === STATUS_UNDONE) continue;
    if (found.status !== STATUS_COMMITTED && found.status !== STATUS_PACKED) return undefined;
    let checked = 0;
    for await (const { oid, dataPosition } of recordsOf(file, found)) {
      const known = index.get(Number(oid >> 32n), Number(oid & 0xffff_ffffn));
      if (known !== dataPosition - RECORD_HEADER_LENGTH) return undefined;
      if (++checked === RECORDS_CHECKED) break;
    }
    if (checked > 0) return tid;
  }
}
