import type { Facts, Plan } from '../sync/facts.js';

/** A catch-up before a promotion would have to do more than append: the promotion goes on with what the slave has. */
export class NoCatchUp extends Error {
  override readonly name = 'NoCatchUp';
}

/** Small batches: the end of the catch-up may come at any moment, and costs the batch that it comes in. */
export const CATCH_UP_BATCHES = { batchBytes: 32 << 20, batchMilliseconds: 500 } as const;

/**
 * What a catch-up does of a plan: it appends to what the slave shows, and nothing else. It may be cut off at any moment,
 * and what it leaves is served. So it cuts off no transaction to copy it again, as a sync does with what was never
 * recorded; a promotion serves that as well. Ends before a refusal is recorded: the promotion decides what becomes of
 * this side.
 */
export function onlyAppend(plan: Plan, { slave, beyond, comparison }: Facts): Plan {
  switch (plan.kind) {
    case 'append':
    case 'adopt': {
      const seen = beyond ?? comparison;
      const shownEnd = seen?.slaveEnd ?? (slave.state === 'there' ? slave.size : 0);
      if (plan.resume.position >= shownEnd) return plan;
      if (seen?.equalUpTo === shownEnd) return { ...plan, resume: seen };
      throw new NoCatchUp(`${plan.reason}: a catch-up does not write again what the slave shows`);
    }
    case 'full':
    case 'rebuild':
      throw new NoCatchUp(`${plan.reason}: a catch-up copies no complete file`);
    case 'grown':
    case 'forked':
      throw new NoCatchUp(plan.reason);
    default:
      return plan;
  }
}
