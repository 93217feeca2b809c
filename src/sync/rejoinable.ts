import type { SlavePaths } from '../standby/paths.js';
import { isSuperseded } from '../standby/superseded.js';
import { ROW_OF_ROLES } from './decide-sides.js';
import type { Outcome } from './outcome.js';

const REJOIN =
  "another side has served in a higher term than this one: 'syncpozo rejoin MASTER SLAVE' makes a slave of it, and keeps what only it has. 'syncpozo compare MASTER SLAVE' shows both histories";

/** A superseded side whose own transactions forbid to follow is rejoined. */
export function rejoinable(outcome: Outcome, paths: SlavePaths): Outcome {
  const { plan } = outcome;
  const isItsOwn = (plan.kind === 'grown' || plan.kind === 'forked') && plan.row !== ROW_OF_ROLES;
  return isItsOwn && isSuperseded(paths) ? { ...outcome, plan: { ...plan, hint: REJOIN } } : outcome;
}
