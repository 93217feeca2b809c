import type { Master } from '../pipeline/master.js';
import type { Work } from '../pipeline/work.js';
import { NOT_SCRUBBED, type ScrubAmount, type Scrubbed } from '../scrub/round.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import type { Facts, Plan } from './facts.js';
import type { Outcome } from './outcome.js';

/** Whether a plan keeps the slave's bytes and at most appends to them. */
export function keepsOldBytes({ kind }: Plan): boolean {
  return kind === 'none' || kind === 'append' || kind === 'adopt';
}

/** Repairs what the probes found wrong on the slave alone, before the run changes anything else of it. */
export async function repairBefore(
  plan: Plan,
  facts: Facts,
  master: Master,
  dat: Dat | undefined,
  work: Work,
): Promise<Scrubbed> {
  const chunks = repairsIn(plan, facts);
  if (!dat || chunks.length === 0 || !keepsOldBytes(plan)) return NOT_SCRUBBED;
  const { repairKnown } = await import('../scrub/scrub.js');
  return repairKnown(work, chunks, master, dat.slaveInode);
}

function repairsIn(plan: Plan, { generation }: Facts): ChunkLine[] {
  const seen = generation?.kind === 'same' ? generation.repairs : undefined;
  return [...(seen ?? []), ...(('repairs' in plan && plan.repairs) || [])];
}

/** Scrubs after a run that reached its end, unless it has rewritten all of the slave. */
export async function scrubAfter(
  outcome: Outcome,
  repaired: Scrubbed,
  master: Master,
  work: Work,
  amount: ScrubAmount,
): Promise<Outcome> {
  const { plan, reached, damage } = outcome;
  const repairedOutcome = { ...outcome, scrubbed: repaired };
  if (amount === 0 || !keepsOldBytes(plan) || damage || !reached) return repairedOutcome;
  const { scrub } = await import('../scrub/scrub.js');
  const { bytes, bad, rot, rotten } = await scrub(work, amount, reached, master);
  const scrubbed = { bytes: repaired.bytes + bytes, bad: repaired.bad + bad, rot, rotten };
  return { ...repairedOutcome, scrubbed, damage: rot };
}
