import { factsOfPath } from '../io/facts.js';
import { usableDat } from '../pipeline/observe.js';
import type { PromotionResult } from '../report/promotion.js';
import { readDatOf } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { type Eviction, evict } from '../takeover/evict.js';
import type { CatchUp } from './catch-up.js';
import { type MasterAnswer, OUT_OF_REACH } from './loss.js';

export interface CaughtUpSlave {
  readonly report: Pick<PromotionResult, 'caughtUp' | 'catchUpProblem'>;
  /** What the master has, if that is known. `undefined`: it may be asked. */
  readonly answer: MasterAnswer | undefined;
  /** The lock again, or who has it. */
  readonly eviction: Eviction;
}

/** Rounds, and syncs that have come between. */
const MOST_ROUNDS = 20;
const MOST_BUSY = 3;

/**
 * Brings the slave up to date, as far as the master and the time allow. Gives the lock up for that, and takes it again. A
 * round that was cut off has left complete batches, as a killed sync does, and maybe one that is not finished, which the
 * promotion cuts off.
 */
export async function catchUpFirst(
  paths: SlavePaths,
  catchUp: CatchUp,
  first: Extract<Eviction, { kind: 'held' }>,
  graceSeconds: number,
): Promise<CaughtUpSlave> {
  const before = endOf(paths);
  let eviction: Eviction = first;
  let transactions = 0;
  let busy = 0;
  let problem: string | null = 'the rounds did not end';
  let answer: MasterAnswer | undefined;
  if (first.evicted?.how === 'left hanging') {
    const why = 'a sync hangs in a read of the master';
    return { report: { caughtUp: null, catchUpProblem: why }, answer: OUT_OF_REACH, eviction };
  }
  for (let round = 1; round <= MOST_ROUNDS && eviction.kind === 'held'; round++) {
    eviction.lock.release();
    const result = await catchUp.round();
    // The child that was cut off may hold the lock. A sync of somebody else may end in peace.
    eviction = await evict(paths.lock, paths.directoryFacts, result.kind === 'busy' ? graceSeconds : 0);
    if (result.kind === 'busy' && ++busy <= MOST_BUSY) continue;
    problem = result.kind === 'problem' ? result.why : result.kind === 'busy' ? 'another sync is at work' : null;
    if (result.kind === 'problem') answer = result.isOutOfReach ? OUT_OF_REACH : undefined;
    if (result.kind === 'in step') {
      transactions += result.transactions;
      answer = result.answer;
      if (result.isLong && catchUp.hasTime) continue;
    }
    break;
  }
  const bytes = Math.max(0, endOf(paths) - before);
  const counted = problem === null ? transactions : null;
  const caughtUp = problem === null || bytes > 0 ? { transactions: counted, bytes } : null;
  return { report: { caughtUp, catchUpProblem: problem }, answer, eviction };
}

/** Up to where the slave is known to be copied; without that, its size. */
function endOf(paths: SlavePaths): number {
  const facts = factsOfPath(paths.data);
  const { dat } = usableDat(readDatOf(paths, facts?.inode), facts?.inode);
  return dat?.claim.position ?? facts?.size ?? 0;
}
