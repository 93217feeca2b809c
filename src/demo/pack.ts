import { encodedLength, type RecordToWrite, recordPositions, type TransactionToWrite } from '../filestorage/encode.js';
import { MAGIC_LENGTH, STATUS_PACKED } from '../filestorage/layout.js';
import { type History, placedRecords } from './history.js';

/**
 * The result of a pack to `packTid` (ZODB: FileStorage/fspack.py; there is no garbage here, because every object is
 * reachable from the root). Up to the pack time, only current revisions stay and those that later back pointers name;
 * their transactions are marked packed, keep their tids and hold no pointers. Everything later stays, with its pointers
 * adjusted to the new positions.
 */
export function packHistory(history: History, packTid: bigint): TransactionToWrite[] {
  const records = new Map(history.flatMap(placedRecords).map(({ position, record }) => [position, record]));
  const kept = recordsToKeep(history, packTid);
  const moved = new Map<number, number>([[0, 0]]);
  const latest = new Map<bigint, number>();
  const packed: TransactionToWrite[] = [];
  let position = MAGIC_LENGTH;

  for (const transaction of history) {
    const old = placedRecords(transaction);
    const isPacked = transaction.tid <= packTid;
    const staying = isPacked ? old.filter((each) => kept.has(each.position)) : old;
    if (isPacked && staying.length === 0) continue;
    const rewritten: TransactionToWrite = {
      ...transaction,
      position,
      status: isPacked ? STATUS_PACKED : transaction.status,
      records: staying.map(({ record }) =>
        isPacked ? withoutPointers(record, records) : withMovedPointers(record, latest, moved),
      ),
    };
    for (const [number, to] of recordPositions(rewritten).entries()) {
      const from = staying[number];
      if (from === undefined) continue;
      moved.set(from.position, to);
      latest.set(from.record.oid, to);
    }
    packed.push(rewritten);
    position += encodedLength(rewritten);
  }
  return packed;
}

function recordsToKeep(history: History, packTid: bigint): Set<number> {
  const current = new Map<bigint, number>();
  const named = new Set<number>();
  for (const transaction of history) {
    for (const { position, record } of placedRecords(transaction)) {
      const backPointer = 'backPointer' in record ? record.backPointer : undefined;
      if (transaction.tid > packTid) named.add(backPointer ?? 0);
      else if (backPointer === 0) current.delete(record.oid);
      else current.set(record.oid, position);
    }
  }
  return new Set([...current.values(), ...named]);
}

/** The record with its data in place of a back pointer: the records in between may be gone. */
function withoutPointers(record: RecordToWrite, records: ReadonlyMap<number, RecordToWrite>): RecordToWrite {
  let holder: RecordToWrite | undefined = record;
  while (holder !== undefined && 'backPointer' in holder) holder = records.get(holder.backPointer);
  return holder === undefined
    ? { oid: record.oid, prev: 0, backPointer: 0 }
    : { oid: record.oid, prev: 0, data: holder.data };
}

function withMovedPointers(
  record: RecordToWrite,
  latest: ReadonlyMap<bigint, number>,
  moved: ReadonlyMap<number, number>,
): RecordToWrite {
  const prev = latest.get(record.oid) ?? 0;
  return 'data' in record
    ? { ...record, prev }
    : { oid: record.oid, prev, backPointer: moved.get(record.backPointer) ?? 0 };
}
