import { STATUS_PACKED } from '../filestorage/layout.js';
import type { ChunkLine } from '../standby/dat.js';
import { headerAt } from './records.js';
import { type Readable, scan, upTo } from './scan.js';
import type { Window } from './window.js';

/**
 * Whether the master has in a chunk's place as many transactions and records as were copied, the same ones at both ends, and
 * no pack has taken them in since: then other bytes in them are no other history, but a change on its disk. It does not matter
 * what has become of the slave's own bytes: the `.dat` line says what was copied.
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

/** Whether a pack has marked a transaction that has no such mark on the slave. A pack marks all that it takes in, so most show it. */
async function isPackedSince(packed: readonly number[], slave: Readable): Promise<boolean> {
  let marked = 0;
  for (const position of packed) {
    const header = await headerAt(slave, position);
    if (!header || header.status === STATUS_PACKED) marked++;
  }
  return marked * 2 < packed.length;
}
