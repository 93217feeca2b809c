import type { Resume } from '../pipeline/resume.js';
import { type Readable, scan } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';

/** Transactions that only the old master has, from the fork to the end of what FileStorage would show. */
export interface OnlyHere {
  readonly from: number;
  readonly end: number;
  readonly transactions: number;
  readonly objects: number;
  /** Of the first and the last one in the file; 0 where there is none. */
  readonly firstTid: bigint;
  readonly lastTid: bigint;
  /** Bytes behind them: in flight, or broken. */
  readonly rest: number;
  readonly isBroken: boolean;
}

const HIGH = 2 ** 32;

/** Walks the slave's file from the fork on. */
export async function findOnlyHere(
  slave: Readable,
  fork: Pick<Resume, 'position' | 'tid'>,
  window: Window,
): Promise<OnlyHere> {
  const oids = new Set<number>();
  const walk = await scan(slave, window, fork.position, fork.tid, {
    // Of oids beyond 2^53 some would count as one.
    onRecord: (_position, high, low) => oids.add(high * HIGH + low),
  });
  const { transactions, end, stop } = walk;
  return {
    from: fork.position,
    end,
    transactions,
    objects: transactions === 0 ? 0 : oids.size,
    firstTid: transactions > 0 ? walk.firstTid : 0n,
    lastTid: transactions > 0 ? walk.lastTid : 0n,
    rest: slave.size - end,
    isBroken: stop?.kind === 'damaged' || stop?.kind === 'torn',
  };
}
