import { formatSeconds } from '../report/numbers.js';
import type { SlaveState, Standing } from '../report/standing.js';
import type { RoundFigures } from './monitored.js';

/** The questions of load balancers and monitors. */
export const CHECKS = ['liveness', 'readiness', 'promotable', 'slave', 'master'] as const;
export type Check = (typeof CHECKS)[number];

/** Everything that an answer is derived from, of one storage. Ages are in seconds; undefined: not known. */
export interface View {
  readonly standing: Standing | undefined;
  /** Why there is no standing. */
  readonly unreadable: string | undefined;
  readonly figures: Pick<RoundFigures, 'last' | 'damagedSlave' | 'runningSince' | 'hungSince'>;
  readonly inStepAge: number | undefined;
  /** Since the last check or round ended. */
  readonly endAge: number | undefined;
  /** Since the watch began. */
  readonly upSeconds: number;
  /** Without the end of a check for so long, and without a round that runs, the watch does not work any more. */
  readonly stallSeconds: number;
}

export interface Limits {
  /** For `slave`: how old the last moment in step may be. */
  readonly lagSeconds: number;
  /** The same for `promotable`; undefined: any age. */
  readonly maxAgeSeconds: number | undefined;
}

/** `why` is a sentence for people, for either answer. */
export interface Verdict {
  readonly ok: boolean;
  readonly why: string;
}

const yes = (why: string): Verdict => ({ ok: true, why });
const no = (why: string): Verdict => ({ ok: false, why });

/**
 * Answers one question about one storage. An answer is yes only for what is known: what cannot be read, what has no proof, and
 * what was proven by a clock that was set back since, is a no.
 */
export function judge(check: Check, view: View, limits: Limits): Verdict {
  if (check === 'liveness') return liveness(view);
  const { standing } = view;
  if (!standing) return no(view.unreadable ?? 'the state of the slave is not known');
  switch (check) {
    case 'readiness':
      return readiness(view, standing);
    case 'promotable':
      return promotable(view, standing, limits.maxAgeSeconds);
    case 'slave':
      return slave(view, standing, limits.lagSeconds);
    case 'master':
      return master(standing);
  }
}

/** Whether the watch itself works. A mount that hangs, a master that is down and a refused slave are no reason to restart it. */
function liveness({ figures, endAge, upSeconds, stallSeconds }: View): Verdict {
  if (figures.hungSince !== undefined) return yes('a read of the master hangs; the watch waits for its mount');
  if (figures.runningSince !== undefined) return yes('a round is running');
  const age = endAge ?? upSeconds;
  if (age > stallSeconds) return no(`no round has ended for ${formatSeconds(age)}: the watch does not work any more`);
  return yes(endAge === undefined ? 'the watch has just begun' : 'rounds end');
}

/** States in which the watch does what it is there for. */
const AT_WORK: ReadonlySet<SlaveState> = new Set(['in-step', 'behind']);

function readiness(view: View, standing: Standing): Verdict {
  const alive = liveness(view);
  if (!alive.ok) return alive;
  const { figures } = view;
  if (standing.role === 'promoted') return yes('the slave is promoted: nothing is synced to it');
  if (!figures.last) return no('the first check has not ended');
  if (figures.hungSince !== undefined) return no('a read of the master hangs');
  if (standing.role !== 'slave') return no(roleIs(standing));
  if (!AT_WORK.has(standing.state)) return no(stateIs(standing));
  if (figures.last.exitCode !== 0)
    return no(`the last round ended with ${figures.last.exitCode}: ${figures.last.reason}`);
  const lack = lackOfBlobs(standing);
  if (lack !== undefined) return no(lack);
  if (standing.switch === 'off') return yes('the switch is off: nothing is synced');
  return yes(stateIs(standing));
}

/**
 * States in which the slave's bytes are not what they should be, or in which that is not known. `out-of-reach` and `fault` are
 * not among them: what was copied before is there.
 */
const NO_TRUST: ReadonlySet<SlaveState> = new Set([
  'never-synced',
  'refused',
  'forked',
  'damaged',
  'cut-short',
  'in-use',
  'promoted',
  'unknown',
]);

/** Exit statuses after which the same holds, before the state says so. */
const REFUSED_OR_DAMAGED: ReadonlySet<number> = new Set([3, 4, 5]);

function promotable(view: View, standing: Standing, maxAgeSeconds: number | undefined): Verdict {
  const distrust = distrustIn(view, standing);
  if (distrust !== undefined) return no(distrust);
  // What fails may be this side's disk, and a promotion writes to it. A master out of reach is what promotions are for.
  if (standing.state === 'fault') return no(stateIs(standing));
  if (standing.switch === 'off') return no('the switch is off: somebody has stopped the syncs');
  if (maxAgeSeconds === undefined) return yes(stateIs(standing));
  return withinAge(view.inStepAge, maxAgeSeconds);
}

function slave(view: View, standing: Standing, lagSeconds: number): Verdict {
  const distrust = distrustIn(view, standing);
  return distrust === undefined ? withinAge(view.inStepAge, lagSeconds) : no(distrust);
}

/**
 * Whether this side was promoted, and has something to serve: of a missing or empty Data.fs a ZEO server makes an empty database. That it
 * answers is for the load balancer to check.
 */
function master(standing: Standing): Verdict {
  if (standing.role !== 'promoted') return no(roleIs(standing));
  if (standing.size === null) return no('this side was promoted, but its file is missing or empty');
  return yes('this side was promoted');
}

/** Why the slave's bytes are not to be trusted; undefined: no reason is known. */
function distrustIn({ figures: { last, damagedSlave } }: View, standing: Standing): string | undefined {
  const { role, state, claim, size, lockedBy } = standing;
  if (role !== 'slave') return roleIs(standing);
  if (claim === null) return `nothing is claimed: ${standing.problem ?? 'there is no .dat'}`;
  if (size === null || size < claim.position) return `it has ${size ?? 0} bytes, ${claim.position} are claimed`;
  if (NO_TRUST.has(state)) return stateIs(standing);
  if (lockedBy === 'another program') return 'another program has the slave open';
  const lack = lackOfBlobs(standing);
  if (lack !== undefined) return lack;
  // What was found is not made good by a master that is out of reach since.
  if (damagedSlave !== undefined) return `damaged before: ${damagedSlave}`;
  if (last && REFUSED_OR_DAMAGED.has(last.exitCode))
    return `the last round ended with ${last.exitCode}: ${last.reason}`;
  return undefined;
}

function withinAge(age: number | undefined, limit: number): Verdict {
  if (age === undefined) return no('not known when the slave was last in step');
  const when = `last known to be in step ${formatSeconds(age)} ago`;
  return age <= limit ? yes(when) : no(`${when}, more than ${limit} s`);
}

function lackOfBlobs({ blobs }: Standing): string | undefined {
  if (!blobs) return undefined;
  return blobs.problem ?? (blobs.missing > 0 ? `blobs missing on the master: ${blobs.missing}` : undefined);
}

function roleIs({ role, roleProblem }: Standing): string {
  return `the role is ${role}${roleProblem === null ? '' : `: ${roleProblem}`}`;
}

function stateIs({ state, stateReason }: Standing): string {
  return `${state.replaceAll('-', ' ')}${stateReason === null ? '' : `: ${stateReason}`}`;
}
