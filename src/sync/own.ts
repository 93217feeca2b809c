import { MAGIC_LENGTH, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { headerAt, recordsOf, transactionAt } from '../pipeline/records.js';
import { type Readable, scan, upTo } from '../pipeline/scan.js';
import type { Scene } from '../pipeline/verified.js';

/**
 * Whether the slave has, between its verified part and its claim, a transaction that the master does not have at the
 * same place. What a server commits to a cut slave begins where one of the master's transactions begins, and has
 * another tid. A master transaction that rotted on the slave's disk still shows its tid, in the header or in a record.
 */
export async function hasOwn({ master, slave, dat, windows }: Scene, from = MAGIC_LENGTH): Promise<boolean> {
  const claim = dat?.claim.position ?? slave.size;
  const theirs: { readonly position: number; readonly tid: bigint }[] = [];
  const onTransaction = (position: number, _length: number, tid: bigint) => theirs.push({ position, tid });
  const { end } = await scan(upTo(master, claim), windows[0], from, undefined, { onTransaction });
  if (end < Math.min(claim, slave.size)) return true;
  for (const { position, tid } of theirs) {
    if (!(await showsTid(slave, position, tid))) return true;
  }
  return false;
}

/**
 * Whether `tid` is at `position`, in the header or in the first record that can be found. Also true where the file
 * has no room for a header.
 */
async function showsTid(slave: Readable, position: number, tid: bigint): Promise<boolean> {
  if (position + TRANSACTION_HEADER_LENGTH > slave.size) return true;
  if ((await headerAt(slave, position))?.tid === tid) return true;
  const found = await transactionAt(slave, position);
  const first = found && (await recordsOf(slave, found).next());
  return first?.done === false && first.value.tid === tid;
}
