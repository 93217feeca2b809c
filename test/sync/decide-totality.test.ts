import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/sync/decide.js';
import type { Facts, Plan, Probe } from '../../src/sync/facts.js';
import {
  CHECKS,
  CLAIM,
  compared,
  DAMAGE,
  MOVED,
  OTHER,
  SAME,
  SIDES,
  STALE,
  slaveOf,
  USUAL,
  verifiedTo,
} from '../support/deciding.js';

const STOPS = ['end', 'in-flight', 'torn', 'damaged'] as const;

/** Every answer of each probe, as far as the decision distinguishes them. */
const ANSWERS: { readonly [L in Probe]: readonly Facts[L][] } = {
  verified: [verifiedTo(CLAIM), verifiedTo(400, { problem: 'x', masterAgrees: true }), verifiedTo(4, { problem: 'x' })],
  beyond: STOPS.flatMap((stop) => [compared(CLAIM, CLAIM, stop), compared(CLAIM, 1100, stop), compared(4, 400, stop)]),
  comparison: [
    ...STOPS.map((stop) => compared(400, 400, stop)),
    compared(400, 500, 'end'),
    compared(4, 4, 'end', DAMAGE),
    ...STOPS.map((stop) => compared(4, 400, stop)),
  ],
  generation: [SAME, MOVED, OTHER, STALE, { kind: 'damaged', stop: DAMAGE }],
  own: [true, false],
  forked: [true, false],
  shown: [
    { end: 400, brokenBehind: false },
    { end: 900, brokenBehind: true },
  ],
  sides: [SIDES],
  news: [true, false],
};

const REFUSAL = { since: 0, lineage: 'forked', device: '1', inode: '2' } as const;
const STANDINGS: readonly Facts['standing'][] = [
  USUAL.standing,
  { ...USUAL.standing, masterTerm: 2, slaveTerm: 1 },
  { ...USUAL.standing, masterTerm: 1, slaveTerm: 2 },
  { ...USUAL.standing, refusal: REFUSAL },
  { ...USUAL.standing, swapped: true },
  { ...USUAL.standing, problem: 'wrong checksum' },
  { ...USUAL.standing, masterRole: 'rejoining' },
  { ...USUAL.standing, masterRole: 'superseded' },
];
const MASTERS = [USUAL.master, { state: 'missing', reason: 'm' }, { state: 'unfit', reason: 'u' }] as const;
const SLAVES = [{ state: 'missing' } as const, { state: 'empty' } as const, ...[4, 400, CLAIM, 1300].map(slaveOf)];

const STARTS: readonly Facts[] = [...starts()];

function* starts(): Generator<Facts> {
  for (const position of ['on', 'off'] as const)
    for (const role of ['slave', 'promoted'] as const)
      for (const lock of ['ours', 'syncpozo', 'other'] as const)
        for (const master of MASTERS)
          for (const standing of STANDINGS)
            for (const full of [true, false])
              for (const slave of SLAVES)
                for (const claim of [USUAL.claim, undefined])
                  yield { switch: position, role, lock, master, standing, full, slave, claim, datProblem: 'd' };
}

/** Follows every answer of every probe to the plans; a probe that is requested again would never end. */
function follow(facts: Facts, depth: number, onPlan: (plan: Plan, facts: Facts) => void): void {
  const decision = decide(facts);
  if (decision.kind !== 'probe') return onPlan(decision, facts);
  const { at } = decision;
  assert.ok(!(at in facts), `a probe of ${at} is asked for again`);
  assert.ok(depth < CHECKS.length);
  for (const answer of ANSWERS[at]) follow({ ...facts, [at]: answer }, depth + 1, onPlan);
}

function everyPlan(onPlan: (plan: Plan, facts: Facts) => void): void {
  for (const start of STARTS) follow(start, 0, onPlan);
}

describe('for every combination of facts', () => {
  it('the decision is a plan, and requests each probe at most once', () => {
    const kinds = new Set<string>();
    const rows = new Set<number>();
    everyPlan((plan) => {
      kinds.add(plan.kind);
      rows.add(plan.row);
    });
    assert.deepEqual(
      [...rows].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    );
    assert.deepEqual(
      [...kinds].sort(),
      'adopt append busy damaged forked full grown in-use none off out-of-reach rebuild unfit'.split(' '),
    );
  });

  it('nothing is written while syncing is off, the slave is locked, or the master is unusable', () => {
    everyPlan((plan, facts) => {
      const idle = facts.switch === 'off' || facts.role === 'promoted' || facts.lock !== 'ours';
      if (!idle && facts.master.state === 'readable') return;
      assert.ok(plan.row <= 5 && !('resume' in plan) && plan.kind !== 'full' && plan.kind !== 'rebuild');
    });
  });

  it('nothing is appended to a slave with transactions of its own behind the verified end', () => {
    everyPlan((plan, facts) => {
      if (facts.own === true) assert.equal(plan.kind, 'grown');
      if (facts.beyond?.slaveStop !== 'end' || facts.beyond.slaveEnd <= CLAIM) return;
      if (facts.beyond.firstDifference < 1300 && facts.slave.state === 'there' && facts.slave.size === 1300) {
        assert.ok(!['append', 'adopt', 'none', 'full'].includes(plan.kind), plan.kind);
      }
    });
  });

  it('a rebuild treats everything beyond the claim as unrecorded, and proves nothing when less is verified', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'rebuild') return;
      assert.equal(plan.forced, facts.full);
      assert.ok(plan.ownFrom <= (facts.claim?.position ?? 4), `own from ${plan.ownFrom}`);
      if (plan.forced) return assert.equal(plan.slaveEnd, facts.shown?.end);
      assert.equal(plan.unverified, facts.claim !== undefined && (facts.verified?.position ?? 0) < CLAIM);
      const size = facts.slave.state === 'there' ? facts.slave.size : 0;
      assert.ok(plan.slaveEnd <= Math.max(size, facts.comparison?.slaveEnd ?? 0, facts.beyond?.slaveEnd ?? 0));
    });
  });

  it('without --full a rebuild follows neither a fork nor a standing refusal', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'rebuild' || facts.full) return;
      // A changed newest chunk may look like a fork: then the rebuild judges both files before its swap.
      const { slave, claim, verified } = facts;
      const isChanged = slave.state === 'there' && claim && verified && verified.position < claim.position;
      if (!isChanged || slave.size < claim.position) assert.equal(facts.forked, false);
      assert.equal(facts.standing.refusal, undefined);
      assert.ok(facts.generation?.kind === 'other' || facts.comparison !== undefined);
    });
  });

  it('nothing is written while the sides are swapped, a role is unreadable, or the master is superseded or rejoins', () => {
    everyPlan((plan, { standing, full }) => {
      const { swapped, problem, masterRole, masterTerm, slaveTerm } = standing;
      const superseded = (masterTerm < slaveTerm || masterRole === 'superseded') && !full;
      if (!swapped && problem === undefined && masterRole !== 'rejoining' && !superseded) return;
      assert.ok(['off', 'busy', 'in-use', 'out-of-reach', 'unfit', 'forked'].includes(plan.kind), plan.kind);
    });
  });

  it('a refusal names both sides, unless it is about their identity', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'forked' && plan.kind !== 'grown') return;
      assert.equal(facts.sides !== undefined, plan.row !== 5);
    });
  });

  it('an append starts at a verified position, and below the claim only with a reason', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'append') return;
      const before = facts.generation?.kind === 'stale' ? facts.generation.resume.position : undefined;
      const verified = [facts.verified?.position, facts.beyond?.position, before];
      assert.ok(verified.includes(plan.resume.position));
      if (plan.resume.position < CLAIM) assert.equal(plan.row, 10);
    });
  });

  it('the same facts give the same decision', () => {
    for (const facts of STARTS) assert.deepEqual(decide(facts), decide(facts));
  });
});
