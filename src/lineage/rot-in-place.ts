import { hasTransactionsOf } from '../pipeline/chunk-transactions.js';
import type { Rot } from '../pipeline/damage.js';
import type { Readable } from '../pipeline/scan.js';
import { hashOf, rotOfBoth } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { MergeFindings } from './findings.js';
import type { Recorded } from './lineage-of.js';

/**
 * The first chunk that the slave has lost, or that cannot be compared, and that the master has in its place with the same
 * transactions and other bytes than were copied. Nothing is left to compare those bytes with but the recorded hash.
 */
export async function rotInPlace(
  { unread }: MergeFindings,
  { chunks, slaveEnd }: Recorded,
  master: Readable,
  slave: Readable,
  window: Window,
): Promise<Rot | undefined> {
  for (const chunk of chunks) {
    const isLost = chunk.end > slaveEnd || unread.some(({ start }) => start === chunk.start);
    if (!isLost || (await hashOf(master, chunk, window)) === chunk.hash) continue;
    if (await hasTransactionsOf(chunk, master, slave, window)) return rotOfBoth(chunk);
  }
  return undefined;
}
