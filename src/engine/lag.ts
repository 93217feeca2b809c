import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { tidToTime } from '../filestorage/tid.js';
import type { Claim } from '../standby/dat.js';
import { BackwardReader } from './backward.js';
import { type Readable, readableEnd } from './scan.js';
import type { Window } from './window.js';

/** How far a slave is behind its master. */
export interface Lag {
  /** Between the slave's last transaction and the master's; null where a tid names no time. */
  readonly seconds: number | null;
  readonly transactions: number;
  readonly bytes: number;
  readonly masterTid: bigint | undefined;
}

/** Counts the master's transactions that are newer than the claim, from its end backwards. */
export async function findLag(master: Readable, claim: Claim, window: Window): Promise<Lag> {
  let transactions = 0;
  let bytes = 0;
  let newest: bigint | undefined;
  const reader = new BackwardReader(master);
  // A tail in flight hides the end; where the claim's transaction stands at its place, only what follows is searched.
  const known = (await reader.endingAt(claim.position))?.tid === claim.tid;
  const end = await readableEnd(master, window, known ? claim.position : MAGIC_LENGTH);
  for await (const found of reader.from(end)) {
    newest ??= found.tid;
    if (found.tid <= claim.tid) break;
    transactions++;
    bytes += found.end - found.position;
  }
  const now = newest === undefined ? undefined : tidToTime(newest);
  const then = tidToTime(claim.tid);
  const timed = now !== undefined && then !== undefined && claim.tid !== 0n;
  return {
    seconds: transactions === 0 ? 0 : timed ? (now - then) / 1000 : null,
    transactions,
    bytes,
    masterTid: newest,
  };
}
