import { BackwardReader } from '../filestorage/backward.js';
import type { Master } from '../pipeline/master.js';
import { readableEnd } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';

/** Beyond this many bytes the transactions are not counted: that reads all of them. */
const MOST_COUNTED = 1 << 30;
/** Bytes a second, of a network and of a local disk. */
const COPIED = 50e6;
const HASHED = 500e6;

/** What the serving side has behind `from`. `counted`: its transactions too, which reads their headers. */
export async function toCopy(
  master: Master,
  from: number,
  counted: boolean,
  window: Window,
): Promise<{ readonly bytes: number; readonly transactions: number | null }> {
  const bytes = Math.max(0, master.size - from);
  if (!counted || bytes > MOST_COUNTED) return { bytes, transactions: null };
  let transactions = 0;
  for await (const { position } of new BackwardReader(master).from(await readableEnd(master, window))) {
    if (position < from) break;
    transactions++;
  }
  return { bytes, transactions };
}

/** Seconds that a rejoin takes, by the bytes to copy and to hash: the right order of magnitude. */
export function estimate(size: number, from: number, hashed: number): number {
  return Math.ceil(10 * (Math.max(0, size - from) / COPIED + hashed / HASHED)) / 10;
}
