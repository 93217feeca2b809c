import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { finishedEnd } from '../pipeline/finished-end.js';
import { type Readable, scan, upTo } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import { type Range, RangeDamaged } from './range.js';

/** Which transactions: those that are not older than `from` and, unless it is undefined, not newer than `to`. */
export interface Tids {
  readonly from: bigint;
  readonly to: bigint | undefined;
}

/**
 * The transactions of a file between two tids, which need not exist; undefined where there are none. Found from the file's end: what
 * is older is not read. Where tids do not rise, what lies between the first and the last one in the file belongs to them.
 *
 * The file may be written meanwhile: what is not finished does not count. Throws RangeDamaged where the transactions cannot be
 * found because the file breaks a rule.
 */
export async function findTidRange(file: Readable, window: Window, tids: Tids): Promise<Range | undefined> {
  const end = (await finishedEnd(file)) ?? (await scannedEnd(file, window, tids));
  const transactions = new BackwardReader(file).from(end);
  let found: Range | undefined;
  for (;;) {
    const next = await transactions.next();
    if (next.done && next.value === 'broken') throw await damageBefore(file, end, window);
    if (next.done || next.value.tid < tids.from) return found;
    const { position: from, tid } = next.value;
    if (found) found = { ...found, from };
    else if (tids.to === undefined || tid <= tids.to) found = { source: file, from, end: next.value.end };
  }
}

/** The end of the last complete transaction, by way of all of them. Damage behind the requested transactions is of no concern. */
async function scannedEnd(file: Readable, window: Window, { to }: Tids): Promise<number> {
  const { stop, end, lastTid } = await scan(file, window, MAGIC_LENGTH);
  if (stop?.kind === 'damaged' && (to === undefined || lastTid <= to)) throw damaged(file, stop);
  return end;
}

async function damageBefore(file: Readable, end: number, window: Window): Promise<RangeDamaged> {
  const { stop } = await scan(upTo(file, end), window, MAGIC_LENGTH);
  if (stop?.kind === 'damaged') return damaged(file, stop);
  const position = stop?.position ?? MAGIC_LENGTH;
  const problem = 'the transaction that begins here is cut short';
  return new RangeDamaged(file.path, position, position, 'transaction-length', problem);
}

function damaged(
  { path }: Readable,
  { position, at, rule, message }: Pick<RangeDamaged, 'position' | 'at' | 'rule' | 'message'>,
): RangeDamaged {
  return new RangeDamaged(path, position, at, rule, message);
}
