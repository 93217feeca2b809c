import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Facts } from '../../src/engine/facts.js';
import {
  assertDecides,
  CLAIM,
  compared,
  droppedByPack,
  MOVED,
  OTHER,
  PRESENT,
  partedBy,
  SAME,
  slaveOf,
  trustedTo,
  UNKNOWN,
} from '../support/deciding.js';

const LONGER = slaveOf(1300);
const MISSING = { state: 'missing', reason: 'gone' } as const;
const UNFIT = { state: 'unfit', reason: 'empty' } as const;

describe('where several rows match, the first one wins', () => {
  it('the switch wins over everything', () => {
    for (const lock of ['ours', 'syncpozo', 'other'] as const) {
      for (const full of [true, false]) {
        assertDecides(['off', 1], { switch: 'off', role: 'promoted', lock, full, master: MISSING });
      }
    }
  });

  it('a promoted slave is left alone even by --full and whoever holds its lock', () => {
    assertDecides(['off', 1], { role: 'promoted', lock: 'other', full: true });
  });

  it('a lock wins over the state of the master and over --full', () => {
    assertDecides(['busy', 2], { lock: 'syncpozo', master: MISSING, full: true });
    assertDecides(['in-use', 3], { lock: 'other', master: UNFIT, full: true });
  });

  it('without a good master --full does nothing, and no slave is made', () => {
    for (const slave of [{ state: 'missing' }, { state: 'empty' }, LONGER] as const) {
      assertDecides(['out-of-reach', 4], { master: MISSING, full: true, slave });
      assertDecides(['unfit', 5], { master: UNFIT, full: true, slave });
    }
  });

  it('--full without a slave needs no look', () => {
    assertDecides(['full', 6], { full: true, slave: { state: 'missing' } });
    assertDecides(['full', 6], { full: true, slave: { state: 'empty' } });
  });

  it('--full keeps a slave aside that has transactions of its own, or may have', () => {
    for (const parting of [partedBy(1), partedBy(0, { complete: false })]) {
      const answers = { parting, presence: { kind: 'absent' } } as const;
      assert.equal(assertDecides(['rebuild', 6, 'parting', 'presence'], { full: true }, answers).keepOld, true);
    }
    assert.equal(assertDecides(['rebuild', 6, 'parting'], { full: true }, { parting: partedBy(0) }).keepOld, false);
  });

  it('--full after a pack keeps the slave aside only where what was dropped is not superseded', () => {
    for (const superseded of [true, false]) {
      const answers = { parting: partedBy(1), presence: droppedByPack(superseded) };
      assert.equal(assertDecides(['rebuild', 6, 'parting', 'presence'], { full: true }, answers).keepOld, !superseded);
    }
  });

  it('--full looks at an unknown slave in the same way', () => {
    const answers = { parting: partedBy(3), presence: { kind: 'absent' } } as const;
    assertDecides(['rebuild', 6, 'parting', 'presence'], { full: true, ...UNKNOWN }, answers);
  });
});

describe('a slave without a usable .dat', () => {
  const unknown = (size: number): Partial<Facts> => ({ ...UNKNOWN, slave: slaveOf(size) });

  it('of the same length is adopted when it is equal', () => {
    assertDecides(['adopt', 8, 'comparison'], unknown(CLAIM), { comparison: compared(CLAIM, CLAIM, 'end') });
  });

  it('shorter than the master is adopted when it is a prefix up to a boundary', () => {
    assertDecides(['adopt', 8, 'comparison'], unknown(400), { comparison: compared(400, 400, 'end') });
  });

  it('that ends in an unfinished batch is adopted up to it', () => {
    const comparison = compared(400, 400, 'in-flight');
    assert.equal(assertDecides(['adopt', 8, 'comparison'], unknown(700), { comparison }).resume.position, 400);
  });

  it('longer than the master is refused', () => {
    const answers = { comparison: compared(CLAIM, 1300, 'end'), parting: partedBy(1) };
    assertDecides(['parted', 8, 'comparison', 'parting'], unknown(1300), answers);
  });

  it("that is torn is adopted when every byte of the tail is the master's", () => {
    const comparison = { ...compared(400, 400, 'torn'), firstDifference: 700 };
    assertDecides(['adopt', 8, 'comparison'], unknown(700), { comparison });
  });

  it('that is torn is adopted when the tail is too short for a transaction', () => {
    assertDecides(['adopt', 8, 'comparison'], unknown(430), { comparison: compared(400, 400, 'torn') });
  });

  it('that is torn is refused when the tail is its own and may hold a transaction', () => {
    const answers = { comparison: compared(400, 400, 'torn'), parting: partedBy(0) };
    assertDecides(['parted', 8, 'comparison', 'parting'], unknown(431), answers);
  });

  it('that is damaged is refused even if all before the damage is equal', () => {
    const answers = { comparison: compared(400, 400, 'damaged'), parting: partedBy(0) };
    assertDecides(['parted', 8, 'comparison', 'parting'], unknown(700), answers);
  });

  it('that a pack has left behind is made anew', () => {
    const comparison = { ...compared(400, 900, 'end'), otherTransactions: true };
    for (const presence of [PRESENT, droppedByPack(true), droppedByPack(false)]) {
      const plan = assertDecides(['rebuild', 8, 'comparison', 'presence'], unknown(900), { comparison, presence });
      assert.equal(plan.keepOld, presence.kind === 'packed-span' && !presence.superseded);
    }
  });

  it("that differs in other bytes of the same transaction is refused, though its last transaction is the master's", () => {
    const answers = { comparison: compared(400, 900, 'end'), parting: partedBy(0) };
    assertDecides(['parted', 8, 'comparison', 'parting'], unknown(900), answers);
  });

  it('with other transactions is refused where the master lacks its last one, or where it ends in damage', () => {
    const comparison = { ...compared(400, 900, 'end'), otherTransactions: true };
    const absent = { comparison, presence: { kind: 'absent' }, parting: partedBy(1) } as const;
    assertDecides(['parted', 8, 'comparison', 'presence', 'parting'], unknown(900), absent);
    for (const slaveStop of ['torn', 'damaged'] as const) {
      const answers = { comparison: { ...comparison, slaveStop }, parting: partedBy(0) };
      assertDecides(['parted', 8, 'comparison', 'parting'], unknown(1300), answers);
    }
  });

  it('of another site is refused', () => {
    const answers = { comparison: { ...compared(4, 900, 'end'), equalUpTo: 0 }, parting: partedBy(7) };
    assertDecides(['parted', 8, 'comparison', 'parting'], unknown(900), answers);
  });
});

describe('a slave longer than its claim', () => {
  const trusted = trustedTo(CLAIM);

  it('goes on from the claim even where what follows equals the master: it may be in memory only', () => {
    const answers = { trusted, beyond: compared(1300, 1300, 'end'), generation: SAME };
    const plan = assertDecides(['append', 9, 'trusted', 'beyond', 'generation'], { slave: LONGER }, answers);
    assert.equal(plan.resume.position, CLAIM);
  });

  it('is cut back to its claim when an unfinished batch stands behind it', () => {
    const answers = { trusted, beyond: compared(1100, 1100, 'in-flight'), generation: SAME };
    const plan = assertDecides(['append', 9, 'trusted', 'beyond', 'generation'], { slave: LONGER }, answers);
    assert.equal(plan.resume.position, CLAIM);
  });

  it('is cut back when its tail is too short for a transaction', () => {
    const answers = { trusted, beyond: compared(CLAIM, CLAIM, 'torn'), generation: SAME };
    assertDecides(['append', 9, 'trusted', 'beyond', 'generation'], { slave: slaveOf(CLAIM + 30) }, answers);
  });

  for (const stop of ['torn', 'damaged'] as const) {
    it(`is refused when it goes on with something ${stop}: an unfinished batch never does`, () => {
      const answers = { trusted, beyond: compared(CLAIM, CLAIM, stop) };
      assertDecides(['grown', 9, 'trusted', 'beyond'], { slave: LONGER }, answers);
    });
  }

  it('with transactions of its own is refused, unless a pack has provably superseded them', () => {
    const seen = { trusted, beyond: compared(CLAIM, 1300, 'end'), parting: partedBy(2) };
    const looks = ['trusted', 'beyond', 'parting', 'presence'] as const;
    for (const presence of [{ kind: 'absent' } as const, PRESENT, droppedByPack(false)]) {
      assertDecides(['grown', 9, ...looks], { slave: LONGER }, { ...seen, presence });
    }
    const superseded = { ...seen, presence: droppedByPack(true) };
    assertDecides(['grown', 9, ...looks, 'generation'], { slave: LONGER }, { ...superseded, generation: SAME });
    const packed = { ...superseded, generation: OTHER };
    assert.equal(assertDecides(['rebuild', 11, ...looks, 'generation'], { slave: LONGER }, packed).keepOld, false);
  });

  it('that the search could not compare to its end is refused', () => {
    const answers = { trusted, beyond: compared(CLAIM, 1300, 'end'), parting: partedBy(0, { complete: false }) };
    assertDecides(['grown', 9, 'trusted', 'beyond', 'parting'], { slave: LONGER }, answers);
  });

  it('with an unfinished batch when the master was packed is rebuilt', () => {
    const answers = { trusted, beyond: compared(CLAIM, CLAIM, 'in-flight'), generation: OTHER, presence: PRESENT };
    const looks = ['trusted', 'beyond', 'generation', 'presence'] as const;
    assertDecides(['rebuild', 11, ...looks], { slave: LONGER }, answers);
  });

  it('whose tail differs only because the master was packed is rebuilt', () => {
    const answers = {
      trusted,
      beyond: compared(CLAIM, 1300, 'end'),
      parting: partedBy(0),
      generation: OTHER,
      presence: PRESENT,
    };
    const looks = ['trusted', 'beyond', 'parting', 'generation', 'presence'] as const;
    assertDecides(['rebuild', 11, ...looks], { slave: LONGER }, answers);
  });
});

describe('a slave whose last chunks do not verify', () => {
  const problem = 'wrong checksum';
  const all = ['trusted', 'beyond', 'parting'] as const;

  it('shorter than the claim is rebuilt when the master was packed as well', () => {
    const answers = { trusted: trustedTo(400, { problem }), generation: OTHER, presence: PRESENT };
    assertDecides(['rebuild', 11, 'trusted', 'generation', 'presence'], { slave: slaveOf(400) }, answers);
  });

  it('is refused when transactions of its own stand in or behind the bad bytes', () => {
    for (const masterAgrees of [true, false]) {
      const trusted = trustedTo(400, { problem, masterAgrees });
      const answers = { trusted, beyond: compared(400, 1300, 'end'), parting: partedBy(1, { doubtful: 1 }) };
      assertDecides(['grown', 9, ...all], { slave: LONGER }, answers);
    }
  });

  it('is repaired where other bytes under a known tid are rot', () => {
    const trusted = trustedTo(400, { problem, masterAgrees: true });
    const seen = { trusted, beyond: compared(400, CLAIM, 'end'), generation: SAME };
    assertDecides(['append', 10, ...all, 'generation'], {}, { ...seen, parting: partedBy(1, { doubtful: 1 }) });
  });

  it('is refused where one more transaction is its own than rot explains', () => {
    const trusted = trustedTo(400, { problem, masterAgrees: true });
    const seen = { trusted, beyond: compared(400, CLAIM, 'end') };
    assertDecides(['grown', 9, ...all], {}, { ...seen, parting: partedBy(2, { doubtful: 1 }) });
  });

  it('is refused where the master does not have the bytes any more that were copied', () => {
    const trusted = trustedTo(400, { problem, masterAgrees: false });
    const seen = { trusted, beyond: compared(400, CLAIM, 'end') };
    assertDecides(['grown', 9, ...all], {}, { ...seen, parting: partedBy(1, { doubtful: 1 }) });
  });
});

describe('another generation of the master', () => {
  const trusted = trustedTo(CLAIM);
  const looks = ['trusted', 'generation', 'presence'] as const;

  it('moved, with the same bytes, is gone on with, whether or not it has grown', () => {
    const plan = assertDecides(['append', 11, 'trusted', 'generation'], {}, { trusted, generation: MOVED });
    assert.equal(plan.resume.position, CLAIM);
  });

  it('packed so that the last transaction was dropped is rebuilt, and the old file kept where something may be lost', () => {
    for (const superseded of [true, false]) {
      const answers = { trusted, generation: OTHER, presence: droppedByPack(superseded) };
      assert.equal(assertDecides(['rebuild', 11, ...looks], {}, answers).keepOld, !superseded);
    }
  });
});
