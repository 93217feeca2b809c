import { milliseconds } from '../io/clock.js';
import { formatCount } from '../report/numbers.js';
import { EXIT } from '../round/exit.js';
import type { SyncResult } from '../round/result.js';
import { runSync, type SyncOptions } from '../round/run-sync.js';
import { isCurrent } from '../round/session.js';
import { RoleRefusal } from '../standby/role-of.js';
import type { Plan } from '../sync/facts.js';

export interface Followed {
  readonly bytes: number;
  readonly transactions: number;
  /** Of the last round. */
  readonly result: SyncResult;
  readonly isInStep: boolean;
}

export interface FollowRequest {
  readonly sync: SyncOptions;
  readonly full: boolean;
  /** This process has just written the slave's `.dat`. */
  readonly isAsLeft: boolean;
  /** Called before each round. */
  readonly onRound?: (number: number) => void;
}

/** A side that commits faster than it can be followed is left to the ordinary sync. */
const MOST_ROUNDS = 30;
/** A round that takes no longer leaves no more behind than any sync does. */
const SHORT_MS = 1000;

/**
 * Follows the side that serves, round after round, until a round finds nothing new or takes less than a second. The caller holds
 * the slave's lock; the role is `rejoining`, and stays so.
 */
export async function follow({ sync, full, isAsLeft, onRound }: FollowRequest): Promise<Followed> {
  let bytes = 0;
  let transactions = 0;
  for (let number = 1; ; number++) {
    onRound?.(number);
    const began = milliseconds();
    const isFull = full && number === 1;
    const gate = isFull ? () => {} : refuseToCopyAll;
    const result = await runSync({ ...sync, full: isFull, rejoin: { isAsLeft: isAsLeft || number > 1, gate } });
    bytes += result.copied.bytes;
    transactions += result.copied.transactions;
    const isInStep = isCurrent(result);
    const isLast = result.copied.transactions === 0 || milliseconds() - began < SHORT_MS || number === MOST_ROUNDS;
    if (result.exitCode !== EXIT.ok || !isInStep || isLast) return { bytes, transactions, result, isInStep };
  }
}

/** A pack of the side that serves, or another file in its place. */
function refuseToCopyAll(plan: Plan, masterBytes: number): void {
  if (plan.kind !== 'full' && plan.kind !== 'rebuild') return;
  throw new RoleRefusal(
    `${plan.reason}: to go on, all of it has to be copied (${formatCount(masterBytes, 'byte')})`,
    'run the rejoin again with --full; what only this side had is kept already',
  );
}
