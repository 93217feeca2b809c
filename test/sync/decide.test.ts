import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertDecides,
  CLAIM,
  compared,
  MOVED,
  OTHER,
  SAME,
  SIDES,
  STALE,
  slaveOf,
  UNKNOWN,
  USUAL,
  verifiedTo,
} from '../support/deciding.js';

const verified = verifiedTo(CLAIM);
const LONGER = slaveOf(1300);
const REFUSAL = { since: 0, lineage: 'forked', device: '1', inode: '2' };
const refused = { standing: { ...USUAL.standing, refusal: REFUSAL } };

describe('the decision table, row by row', () => {
  it('1 to 5: do nothing, and request no probe', () => {
    assertDecides(['off', 1], { switch: 'off', full: true });
    assertDecides(['off', 1], { role: 'promoted', lock: 'other', full: true });
    assertDecides(['busy', 2], { lock: 'syncpozo' });
    assertDecides(['in-use', 3], { lock: 'other' });
    assertDecides(['out-of-reach', 4], { master: { state: 'missing', reason: 'gone' } });
    assertDecides(['unfit', 5], { master: { state: 'unfit', reason: 'empty' } });
  });

  it('5: refuse swapped sides and an unusable role file always, a superseded master unless --full is given', () => {
    for (const full of [true, false]) {
      const swapped = { ...USUAL.standing, swapped: true };
      assert.equal(assertDecides(['forked', 5], { full, standing: swapped }).lineage, 'swapped');
      const problem = { ...USUAL.standing, problem: 'wrong checksum' };
      assert.equal(assertDecides(['forked', 5], { full, standing: problem }).lineage, 'role');
      const rejoining = { ...USUAL.standing, masterRole: 'rejoining' } as const;
      assert.equal(assertDecides(['forked', 5], { full, standing: rejoining }).lineage, 'role');
    }
    const older = { ...USUAL.standing, masterTerm: 1, slaveTerm: 2 };
    const marked = { ...USUAL.standing, masterRole: 'superseded' } as const;
    for (const standing of [older, marked]) {
      assert.equal(assertDecides(['forked', 5], { standing }).lineage, 'superseded');
      assertDecides(['rebuild', 6, 'shown'], { standing, full: true }, { shown: { end: CLAIM, brokenBehind: false } });
    }
  });

  it("6: --full rebuilds, and bytes beyond the claim are the slave's own", () => {
    const known = assertDecides(
      ['rebuild', 6, 'shown'],
      { full: true, slave: LONGER },
      { shown: { end: 1200, brokenBehind: false } },
    );
    assert.deepEqual([known.ownFrom, known.slaveEnd, known.forced], [CLAIM, 1200, true]);
    const unknown = assertDecides(
      ['rebuild', 6, 'shown'],
      { full: true, ...UNKNOWN },
      { shown: { end: 900, brokenBehind: false } },
    );
    assert.deepEqual([unknown.ownFrom, unknown.slaveEnd], [4, 900]);
  });

  it('7: copy everything when there is no slave', () => {
    for (const state of ['missing', 'empty'] as const) assertDecides(['full', 7], { slave: { state }, ...UNKNOWN });
  });

  it('8: adopt an unknown slave that equals the master', () => {
    const plan = assertDecides(['adopt', 8, 'comparison'], UNKNOWN, { comparison: compared(800, 800, 'end') });
    assert.equal(plan.resume.position, 800);
  });

  it('8: rebuild from a pack, with the whole slave as its own, and refuse a fork', () => {
    const comparison = compared(400, 900, 'end');
    const plan = assertDecides(['rebuild', 8, 'comparison', 'forked'], UNKNOWN, { comparison, forked: false });
    assert.deepEqual([plan.ownFrom, plan.slaveEnd, plan.forced], [4, 900, false]);
    assertDecides(['forked', 8, 'comparison', 'forked', 'sides'], UNKNOWN, { comparison, forked: true, sides: SIDES });
    const torn = { comparison: compared(400, 900, 'torn'), sides: SIDES } as const;
    assertDecides(['forked', 8, 'comparison', 'sides'], UNKNOWN, torn);
  });

  it('9: write an unfinished batch again, and refuse a slave that has grown', () => {
    const probes = ['verified', 'beyond', 'generation'] as const;
    const batch = { verified, beyond: compared(CLAIM, CLAIM, 'in-flight'), generation: SAME };
    assert.equal(assertDecides(['append', 9, ...probes], { slave: LONGER }, batch).resume.position, CLAIM);
    const grown = { verified, beyond: compared(CLAIM, 1300, 'end'), generation: SAME, sides: SIDES };
    assertDecides(['grown', 9, ...probes, 'sides'], { slave: LONGER }, grown);
    const torn = { verified, beyond: compared(CLAIM, CLAIM, 'torn'), sides: SIDES };
    assertDecides(['grown', 9, 'verified', 'beyond', 'sides'], { slave: LONGER }, torn);
  });

  it('10: go back to the verified end, unless transactions of its own follow it', () => {
    const short = { verified: verifiedTo(400, { problem: 'short' }), generation: SAME };
    assert.equal(
      assertDecides(['append', 10, 'verified', 'generation'], { slave: slaveOf(400) }, short).resume.position,
      400,
    );
    const probes = ['verified', 'beyond', 'generation', 'own'] as const;
    const bad = verifiedTo(400, { problem: 'wrong', masterAgrees: true });
    const seen = { verified: bad, beyond: compared(400, CLAIM, 'end'), generation: SAME, sides: SIDES };
    assertDecides(['append', 10, ...probes], {}, { ...seen, own: false });
    assertDecides(['grown', 9, ...probes, 'sides'], {}, { ...seen, own: true });
    const stale = { verified, generation: STALE };
    assert.equal(assertDecides(['append', 10, 'verified', 'generation'], {}, stale).resume.position, 400);
  });

  it('11: rebuild from a pack, and refuse when headers show a fork', () => {
    const probes = ['verified', 'generation', 'forked'] as const;
    const answers = { verified, generation: OTHER, forked: false };
    const plan = assertDecides(['rebuild', 11, ...probes], {}, answers);
    assert.deepEqual([plan.ownFrom, plan.slaveEnd, plan.forced], [CLAIM, CLAIM, false]);
    assertDecides(['forked', 11, ...probes, 'sides'], {}, { ...answers, forked: true, sides: SIDES });
  });

  it('11: rebuild a slave that has grown only with everything behind the claim as its own', () => {
    const answers = { verified, beyond: compared(CLAIM, 1250, 'end'), generation: OTHER, forked: false };
    const probes = ['verified', 'beyond', 'generation', 'forked'] as const;
    const plan = assertDecides(['rebuild', 11, ...probes], { slave: LONGER }, answers);
    assert.deepEqual([plan.ownFrom, plan.slaveEnd], [CLAIM, 1250]);
  });

  it('12 and 13: append new transactions, or do nothing', () => {
    const seen = { verified, generation: SAME };
    assertDecides(['append', 12, 'verified', 'generation', 'news'], {}, { ...seen, news: true });
    assertDecides(['none', 13, 'verified', 'generation', 'news'], {}, { ...seen, news: false });
  });
});

describe('a standing refusal', () => {
  it('survives a pack of the master, with and without a .dat', () => {
    const seen = { verified, generation: OTHER, sides: SIDES };
    const plan = assertDecides(['forked', 11, 'verified', 'generation', 'sides'], refused, seen);
    assert.match(plan.reason, /refused since 1970-01-01/);
    const comparison = compared(400, 900, 'end');
    assertDecides(['forked', 11, 'comparison', 'sides'], { ...refused, ...UNKNOWN }, { comparison, sides: SIDES });
  });

  it('is lifted by the same bytes in the same file or in another one, by equal bytes of an unknown slave, and by --full', () => {
    assertDecides(['none', 13, 'verified', 'generation', 'news'], refused, { verified, generation: SAME, news: false });
    assertDecides(['append', 11, 'verified', 'generation'], refused, { verified, generation: MOVED });
    assertDecides(['adopt', 8, 'comparison'], { ...refused, ...UNKNOWN }, { comparison: compared(800, 800, 'end') });
    assertDecides(['rebuild', 6, 'shown'], { ...refused, full: true }, { shown: { end: CLAIM, brokenBehind: false } });
  });
});
