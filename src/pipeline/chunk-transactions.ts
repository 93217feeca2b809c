import { STATUS_PACKED } from '../filestorage/layout.js';
import type { ChunkLine } from '../standby/dat.js';
import { headerAt } from './records.js';
import { type Readable, scan, upTo } from './scan.js';
import type { Window } from './window.js';

/**
 * Whether the master has at a chunk's place as many transactions and records as were copied, with the same tids at both
 * ends, and none was packed since. Then other bytes in them are no other history, but a change on the master's disk.
 * The slave's own bytes do not matter: the `.dat` line states what was copied.
 */
export async function hasTransactionsOf(
  chunk: ChunkLine,
  master: Readable,
  slave: Readable,
  window: Window,
): Promise<boolean> {
  const packed: number[] = [];
  const onTransaction = (position: number, _length: number, _tid: bigint, status: number) => {
    if (status === STATUS_PACKED) packed.push(position);
  };
  const walk = await scan(upTo(master, chunk.end), window, chunk.start, undefined, { onTransaction });
  const { end, transactions, records, firstTid, lastTid } = walk;
  const sameEnds = firstTid === chunk.firstTid && lastTid === chunk.lastTid;
  const same = end === chunk.end && transactions === chunk.transactions && records === chunk.records && sameEnds;
  return same && !(await isPackedSince(packed, slave));
}

/**
 * Whether a pack may have marked a transaction since it was copied: the slave does not have the mark, or has lost the header.
 * A mark that has rotted on the slave looks the same; then the old file is kept, and nobody blames the master.
 */
async function isPackedSince(packed: readonly number[], slave: Readable): Promise<boolean> {
  for (const position of packed) {
    const header = await headerAt(slave, position);
    if (header?.status !== STATUS_PACKED) return true;
  }
  return false;
}
