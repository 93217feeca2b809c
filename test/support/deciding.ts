import assert from 'node:assert/strict';
import type { Comparison } from '../../src/lineage/compare.js';
import type { Sides } from '../../src/lineage/sides.js';
import type { Damage } from '../../src/pipeline/damage.js';
import type { SlaveState } from '../../src/pipeline/observe.js';
import type { Resume } from '../../src/pipeline/resume.js';
import type { Verified } from '../../src/pipeline/verified.js';
import { decide } from '../../src/sync/decide.js';
import type { Facts, Plan, Probe } from '../../src/sync/facts.js';
import { UNKNOWN_STANDING } from '../../src/sync/standing.js';

/** The answers of the probes; a probe without one must not be requested. */
export type Answers = Partial<Pick<Facts, Probe>>;

export const CLAIM = 1000;
export const CHECKS: readonly Probe[] = [
  'verified',
  'beyond',
  'comparison',
  'generation',
  'own',
  'forked',
  'shown',
  'news',
  'sides',
];

/** A slave in order, with no probe made yet. */
export const USUAL: Facts = {
  switch: 'on',
  role: 'slave',
  lock: 'ours',
  master: { state: 'readable' },
  standing: UNKNOWN_STANDING,
  full: false,
  slave: { state: 'there', size: CLAIM },
  claim: { position: CLAIM, tid: 9n },
  datProblem: undefined,
};

export const slaveOf = (size: number): SlaveState => ({ state: 'there', size });
export const UNKNOWN = { claim: undefined, datProblem: 'the .dat is missing' } as const;

export function resumeAt(position: number): Resume {
  return { position, tid: 9n, chunks: [], tailState: '' };
}

export function verifiedTo(position: number, more: Partial<Verified> = {}): Verified {
  return { ...resumeAt(position), ...more };
}

/** The slave's bytes equal the master's up to `equalUpTo`; a FileStorage would find transactions up to `slaveEnd`. */
export function compared(
  equalUpTo: number,
  slaveEnd: number,
  slaveStop: Comparison['slaveStop'],
  masterDamaged?: Damage,
): Comparison {
  return {
    ...resumeAt(equalUpTo),
    equalUpTo,
    firstDifference: equalUpTo + 5,
    slaveEnd,
    slaveStop,
    masterDamaged,
  };
}

/** The slave has transactions of its own, the master has one that the slave lacks. */
export const SIDES: Sides = {
  onlyHere: { count: 2, first: 10n, last: 12n },
  onlyThere: { count: 1, first: 11n, last: 11n },
  common: { tid: 9n, slaveEnd: 400 },
  complete: true,
};

export const DAMAGE: Damage = {
  kind: 'damaged',
  position: 500,
  at: 508,
  tid: 8n,
  rule: 'trailer',
  message: 'length 1 in the trailer, 2 in the header',
};

export const SAME = { kind: 'same', moved: false } as const;
export const MOVED = { kind: 'same', moved: true } as const;
export const OTHER = { kind: 'other' } as const;
export const STALE = { kind: 'stale', resume: resumeAt(400), problem: 'zeros' } as const;

export interface Decided {
  readonly plan: Plan;
  readonly probes: readonly Probe[];
}

/** Decides, answers each probe from the table, and records the probes in order. */
export function decideWith(facts: Facts, answers: Answers = {}): Decided {
  const probes: Probe[] = [];
  let known = facts;
  for (;;) {
    const decision = decide(known);
    if (decision.kind !== 'probe') return { plan: decision, probes };
    const { at } = decision;
    assert.ok(!probes.includes(at), `probed ${at} a second time`);
    assert.ok(at in answers, `an unexpected probe of ${at} after ${probes}`);
    probes.push(at);
    known = { ...known, [at]: answers[at] };
  }
}

/** The plan of this kind. */
type PlanOf<K, P = Plan> = P extends { readonly kind: infer Kinds } ? (K extends Kinds ? P : never) : never;

/** Asserts the plan's kind and row, and its probes. Returns the plan. */
export function assertDecides<K extends Plan['kind']>(
  [kind, row, ...probes]: readonly [K, number, ...Probe[]],
  facts: Partial<Facts>,
  answers: Answers = {},
): PlanOf<K> {
  const decided = decideWith({ ...USUAL, ...facts }, answers);
  const { plan } = decided;
  assert.deepEqual({ kind: plan.kind, row: plan.row, probes: decided.probes }, { kind, row, probes });
  return plan as PlanOf<K>;
}
