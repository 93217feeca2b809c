import { IoFault } from '../io/fault.js';
import type { Work } from '../pipeline/work.js';
import type { DamageMark, Refusal } from '../standby/role.js';
import type { RefusedPlan } from './facts.js';
import type { Outcome } from './outcome.js';
import { changeMarks, type Marks } from './standing.js';

/**
 * Records the findings of a run that must outlive it: a refusal, which a pack of the master must not lift, and damage
 * of the master, after which a rebuild from it proves nothing. A run that ends in step lifts a refusal; only a rebuild
 * lifts damage.
 */
export function noteMarks(work: Work, outcome: Outcome): void {
  try {
    changeMarks(work.paths, (before) => marksAfter(before, outcome));
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    const message = `what this run has found could not be recorded: ${error.message}`;
    work.report({ level: 'warn', message });
  }
}

function marksAfter(before: Marks, outcome: Outcome): Marks {
  const { plan, damage, reached } = outcome;
  if (plan.kind === 'grown' || plan.kind === 'forked')
    return { ...before, refusal: before.refusal ?? refusalOf(plan, outcome) };
  if (damage) return { ...before, damage: before.damage ?? markOf(damage) };
  if (!reached) return before;
  const isNew = plan.kind === 'full' || plan.kind === 'rebuild';
  return { refusal: undefined, damage: isNew ? undefined : before.damage };
}

/** undefined: the refusal concerns the roles of the two sides, which every run checks again. */
function refusalOf(plan: RefusedPlan, { sides, master }: Outcome): Refusal | undefined {
  const { lineage } = plan;
  if (lineage === 'superseded' || lineage === 'swapped' || lineage === 'role' || !master) return undefined;
  const common = sides?.common;
  const place = common ? { position: common.slaveEnd, tid: common.tid } : {};
  return { since: Date.now(), lineage, ...place, device: master.device, inode: master.inode };
}

function markOf({ position, tid }: NonNullable<Outcome['damage']>): DamageMark {
  return { since: Date.now(), position, tid };
}
