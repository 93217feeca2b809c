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
  for await (const found of new BackwardReader(master).from(await readableEnd(master, window))) {
    newest ??= found.tid;
    if (found.tid <= claim.tid) break;
    transactions++;
    bytes += found.end - found.position;
  }
  const now = newest === undefined ? undefined : tidToTime(newest);
  const then = tidToTime(claim.tid);
  const known = now !== undefined && then !== undefined && claim.tid !== 0n;
  return {
    seconds: transactions === 0 ? 0 : known ? (now - then) / 1000 : null,
    transactions,
    bytes,
    masterTid: newest,
  };
}
