import type { Magic } from '../filestorage/layout.js';
import type { Master } from '../pipeline/master.js';
import { observeSlave } from '../pipeline/observe.js';
import { Copied } from '../pipeline/work.js';
import { NOT_SCRUBBED } from '../scrub/amount.js';
import type { SlavePaths } from '../standby/paths.js';
import type { Facts, Plan } from './facts.js';
import type { Outcome } from './outcome.js';

/** A master that can be read. */
export interface Observed {
  readonly master: Master;
  readonly magic: Magic;
}

export function masterOf({ master, magic }: Observed): NonNullable<Outcome['master']> {
  const { device, inode, size } = master.facts;
  return { size, magic, device, inode };
}

/** The outcome of a plan by which nothing is written. */
export function settled(plan: Plan, facts: Facts, observed: Observed | undefined, paths: SlavePaths): Outcome {
  return {
    plan,
    reached: plan.kind === 'none' ? facts.trusted : undefined,
    master: observed && masterOf(observed),
    slaveSize: observeSize(paths),
    end: undefined,
    damage: plan.kind === 'damaged' ? plan.stop : undefined,
    sides: facts.sides,
    copied: new Copied(),
    scrubbed: NOT_SCRUBBED,
  };
}

/** Bytes of the slave as it is now. */
export function observeSize(paths: SlavePaths): number | undefined {
  const { state } = observeSlave(paths);
  return state.state === 'there' ? state.size : undefined;
}
