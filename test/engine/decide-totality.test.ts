import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/engine/decide.js';
import type { Facts, Look, Plan } from '../../src/engine/facts.js';
import {
  CLAIM,
  compared,
  DAMAGE,
  droppedByPack,
  LOOKS,
  MOVED,
  OTHER,
  PRESENT,
  partedBy,
  SAME,
  STALE,
  slaveOf,
  trustedTo,
  USUAL,
} from '../support/deciding.js';

const STOPS = ['end', 'in-flight', 'torn', 'damaged'] as const;

/** All answers that each look can give, as far as the decision can tell them apart. */
const ANSWERS: { readonly [L in Look]: readonly Facts[L][] } = {
  trusted: [trustedTo(CLAIM), trustedTo(400, { problem: 'x', masterAgrees: true }), trustedTo(4, { problem: 'x' })],
  beyond: STOPS.flatMap((stop) => [compared(CLAIM, CLAIM, stop), compared(CLAIM, 1100, stop), compared(4, 400, stop)]),
  comparison: [
    ...STOPS.map((stop) => compared(400, 400, stop)),
    compared(400, 500, 'end'),
    compared(4, 4, 'end', DAMAGE),
    ...STOPS.map((stop) => ({ ...compared(4, 400, stop), otherTransactions: true })),
  ],
  generation: [SAME, MOVED, OTHER, STALE, { kind: 'damaged', stop: DAMAGE }],
  presence: [PRESENT, droppedByPack(true), droppedByPack(false), { kind: 'absent' }, { kind: 'damaged', stop: DAMAGE }],
  parting: [partedBy(0), partedBy(1), partedBy(1, { doubtful: 1 }), partedBy(0, { complete: false })],
  news: [true, false],
};

const STARTS: readonly Facts[] = [
  ...(['on', 'off'] as const).flatMap((position) =>
    (['slave', 'promoted'] as const).flatMap((role) =>
      (['ours', 'syncpozo', 'other'] as const).flatMap((lock) =>
        [USUAL.master, { state: 'missing', reason: 'm' } as const, { state: 'unfit', reason: 'u' } as const].flatMap(
          (master) =>
            [true, false].flatMap((full) =>
              [
                { state: 'missing' } as const,
                { state: 'empty' } as const,
                ...[4, 400, CLAIM, 1300].map(slaveOf),
              ].flatMap((slave) =>
                [USUAL.claim, undefined].map((claim) => {
                  return { ...USUAL, switch: position, role, lock, master, full, slave, claim, datProblem: 'd' };
                }),
              ),
            ),
        ),
      ),
    ),
  ),
];

/** Follows every answer to every look, down to the plans; a look that is asked for again would never end. */
function follow(facts: Facts, depth: number, onPlan: (plan: Plan, facts: Facts) => void): void {
  const decision = decide(facts);
  if (decision.kind !== 'look') return onPlan(decision, facts);
  const { at } = decision;
  assert.ok(!(at in facts), `a look at ${at} is asked for again`);
  assert.ok(depth < LOOKS.length);
  for (const answer of ANSWERS[at]) follow({ ...facts, [at]: answer }, depth + 1, onPlan);
}

function everyPlan(onPlan: (plan: Plan, facts: Facts) => void): void {
  for (const start of STARTS) follow(start, 0, onPlan);
}

describe('for every combination of facts', () => {
  it('the decision is a plan, after looks that are each asked for once', () => {
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
    assert.equal(kinds.size, 13, [...kinds].join());
  });

  it('nothing is written while it is off, locked, or without a good master', () => {
    everyPlan((plan, facts) => {
      const idle = facts.switch === 'off' || facts.role === 'promoted' || facts.lock !== 'ours';
      if (!idle && facts.master.state === 'readable') return;
      assert.ok(plan.row <= 5 && !('resume' in plan) && plan.kind !== 'full' && plan.kind !== 'rebuild');
    });
  });

  it('a slave that is known to have transactions of its own is never replaced without being kept, nor appended to', () => {
    everyPlan((plan, facts) => {
      if (facts.parting === undefined || facts.parting.onlyHere.count <= facts.parting.doubtful) return;
      const superseded = facts.presence?.kind === 'packed-span' && facts.presence.superseded;
      if (plan.kind === 'rebuild') return assert.equal(plan.keepOld, !superseded);
      assert.ok(['grown', 'parted', 'damaged'].includes(plan.kind), plan.kind);
    });
  });

  it('a rebuild without --full follows only from another generation, or from other transactions in an unknown slave', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'rebuild' || facts.full) return;
      assert.ok(facts.generation?.kind === 'other' || facts.comparison?.otherTransactions === true);
      assert.ok(facts.presence?.kind === 'present' || facts.presence?.kind === 'packed-span');
    });
  });

  it('an append goes on from a place that was verified, and below the claim only with a reason', () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== 'append') return;
      const before = facts.generation?.kind === 'stale' ? facts.generation.resume.position : undefined;
      const verified = [facts.trusted?.position, facts.beyond?.position, before];
      assert.ok(verified.includes(plan.resume.position));
      if (plan.resume.position < CLAIM) assert.equal(plan.row, 10);
    });
  });

  it('the same facts give the same decision', () => {
    for (const facts of STARTS) assert.deepEqual(decide(facts), decide(facts));
  });
});
