import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertDecides,
  CLAIM,
  compared,
  DAMAGE,
  OTHER,
  PRESENT,
  partedBy,
  resumeAt,
  SAME,
  STALE,
  slaveOf,
  trustedTo,
  UNKNOWN,
} from '../support/deciding.js';

describe('the decision table, row by row', () => {
  it('1: nothing while the switch is off', () => {
    const plan = assertDecides(['off', 1], { switch: 'off' });
    assert.match(plan.reason, /SYNCING=0/);
  });

  it('1: nothing ever again for a promoted slave', () => {
    const plan = assertDecides(['off', 1], { role: 'promoted' });
    assert.match(plan.reason, /promoted/);
  });

  it('2: nothing while another syncpozo is at work', () => {
    assertDecides(['busy', 2], { lock: 'syncpozo' });
  });

  it('3: refuses a slave that another program holds', () => {
    assertDecides(['in-use', 3], { lock: 'other' });
  });

  it('4: a missing master is out of reach, for the reason that was seen', () => {
    const plan = assertDecides(['out-of-reach', 4], { master: { state: 'missing', reason: 'it is gone' } });
    assert.equal(plan.reason, 'it is gone');
  });

  it('5: a master that is not a Data.fs is never copied', () => {
    const plan = assertDecides(['unfit', 5], { master: { state: 'unfit', reason: 'it is empty' } });
    assert.equal(plan.reason, 'it is empty');
  });

  it('6: --full rebuilds, and lets a slave go that has nothing of its own', () => {
    const plan = assertDecides(['rebuild', 6, 'parting'], { full: true }, { parting: partedBy(0) });
    assert.equal(plan.keepOld, false);
  });

  it('7: copies all where there is no slave', () => {
    assertDecides(['full', 7], { slave: { state: 'missing' }, ...UNKNOWN });
  });

  it('7: copies all where the slave is empty', () => {
    assertDecides(['full', 7], { slave: { state: 'empty' } });
  });

  it('8: adopts an unknown slave that equals the master, and goes on from its end', () => {
    const comparison = compared(800, 800, 'end');
    const plan = assertDecides(['adopt', 8, 'comparison'], { ...UNKNOWN }, { comparison });
    assert.equal(plan.resume.position, 800);
    assert.match(plan.reason, /the \.dat is missing/);
  });

  it('8: refuses an unknown slave that differs, and names the place', () => {
    const answers = { comparison: compared(600, 800, 'end'), parting: partedBy(2) };
    const plan = assertDecides(['parted', 8, 'comparison', 'parting'], { ...UNKNOWN }, answers);
    assert.match(plan.reason, /differs from the master at position 605/);
    assert.match(plan.hint, /--full/);
  });

  it('9: settles an unfinished batch of our own', () => {
    const answers = { trusted: trustedTo(CLAIM), beyond: compared(CLAIM, CLAIM, 'in-flight'), generation: SAME };
    const looks = ['trusted', 'beyond', 'generation'] as const;
    const plan = assertDecides(['append', 9, ...looks], { slave: slaveOf(1300) }, answers);
    assert.equal(plan.resume.position, CLAIM);
  });

  it('9: refuses a slave that has grown', () => {
    const seen = { trusted: trustedTo(CLAIM), beyond: compared(CLAIM, 1300, 'end'), parting: partedBy(1) };
    const answers = { ...seen, presence: { kind: 'absent' } } as const;
    const looks = ['trusted', 'beyond', 'parting', 'presence'] as const;
    const plan = assertDecides(['grown', 9, ...looks], { slave: slaveOf(1300) }, answers);
    assert.match(plan.hint, /--full/);
  });

  it('10: goes back to the last chunk that verifies when the slave is shorter than the claim', () => {
    const answers = { trusted: trustedTo(400, { problem: 'it has 400 bytes' }), generation: SAME };
    const plan = assertDecides(['append', 10, 'trusted', 'generation'], { slave: slaveOf(400) }, answers);
    assert.equal(plan.resume.position, 400);
    assert.equal(plan.reason, 'it has 400 bytes');
  });

  it('10: goes back to the last chunk that verifies when the last one does not', () => {
    const trusted = trustedTo(400, { problem: 'wrong checksum', masterAgrees: true });
    const beyond = compared(700, CLAIM, 'end');
    const answers = { trusted, beyond, parting: partedBy(0), generation: SAME };
    const plan = assertDecides(['append', 10, 'trusted', 'beyond', 'parting', 'generation'], {}, answers);
    assert.equal(plan.resume.position, 400);
  });

  it('10: goes on from the claim where the master has what only the slave has wrong', () => {
    const wrong = [{ start: 400, end: CLAIM, firstTid: 8n, lastTid: 9n, transactions: 2, records: 2, hash: 'right' }];
    const repairable = { claim: resumeAt(CLAIM), wrong };
    const trusted = trustedTo(400, { problem: 'bytes do not match', masterAgrees: true, repairable });
    const answers = { trusted, beyond: compared(700, CLAIM, 'end'), parting: partedBy(0), generation: SAME };
    const plan = assertDecides(['append', 10, 'trusted', 'beyond', 'parting', 'generation'], {}, answers);
    assert.equal(plan.resume.position, CLAIM);
    assert.deepEqual(plan.repairs, wrong);
  });

  it('10: does so although a batch was begun behind it, and not where a server has written there', () => {
    const repairable = { claim: resumeAt(CLAIM), wrong: [] };
    const trusted = trustedTo(400, { problem: 'bytes do not match', masterAgrees: true, repairable });
    const seen = { trusted, parting: partedBy(1, { doubtful: 1 }), generation: SAME };
    const looks = ['trusted', 'beyond', 'parting'] as const;
    for (const [size, stop] of [
      [1300, 'in-flight'],
      [CLAIM + 5, 'torn'],
    ] as const) {
      const answers = { ...seen, beyond: compared(400, CLAIM, stop) };
      const plan = assertDecides(['append', 10, ...looks, 'generation'], { slave: slaveOf(size) }, answers);
      assert.equal(plan.resume.position, CLAIM);
    }
    assertDecides(
      ['grown', 9, ...looks],
      { slave: slaveOf(1300) },
      { ...seen, beyond: compared(400, 1200, 'in-flight') },
    );
    assertDecides(
      ['grown', 9, 'trusted', 'beyond'],
      { slave: slaveOf(1300) },
      { ...seen, beyond: compared(400, CLAIM, 'torn') },
    );
  });

  it('10: goes back before zeros that the last run copied', () => {
    const plan = assertDecides(
      ['append', 10, 'trusted', 'generation'],
      {},
      { trusted: trustedTo(CLAIM), generation: STALE },
    );
    assert.deepEqual([plan.resume.position, plan.reason], [400, 'zeros']);
  });

  it('11: rebuilds when the master has been packed', () => {
    const answers = { trusted: trustedTo(CLAIM), generation: OTHER, presence: PRESENT };
    const plan = assertDecides(['rebuild', 11, 'trusted', 'generation', 'presence'], {}, answers);
    assert.equal(plan.reason, 'master has been packed');
    assert.equal(plan.keepOld, false);
  });

  it('11: refuses when the master lacks what the slave has', () => {
    const seen = { trusted: trustedTo(CLAIM), generation: OTHER, presence: { kind: 'absent' } } as const;
    const looks = ['trusted', 'generation', 'presence', 'parting'] as const;
    const plan = assertDecides(['parted', 11, ...looks], {}, { ...seen, parting: partedBy(1) });
    assert.match(plan.hint, /--full/);
  });

  it('12: appends what is new', () => {
    const answers = { trusted: trustedTo(CLAIM), generation: SAME, news: true };
    const plan = assertDecides(['append', 12, 'trusted', 'generation', 'news'], {}, answers);
    assert.equal(plan.resume.position, CLAIM);
  });

  it('13: does nothing when nothing is new', () => {
    const answers = { trusted: trustedTo(CLAIM), generation: SAME, news: false };
    assertDecides(['none', 13, 'trusted', 'generation', 'news'], {}, answers);
  });
});

describe('a damaged master is named, and nothing is done', () => {
  it('met while an unknown slave is compared', () => {
    const comparison = compared(500, 800, 'end', DAMAGE);
    assert.equal(assertDecides(['damaged', 8, 'comparison'], UNKNOWN, { comparison }).stop, DAMAGE);
  });

  it('met below the claim of the same file', () => {
    const answers = { trusted: trustedTo(CLAIM), generation: { kind: 'damaged', stop: DAMAGE } } as const;
    assert.equal(assertDecides(['damaged', 11, 'trusted', 'generation'], {}, answers).stop, DAMAGE);
  });

  it("met while the slave's last transaction is looked for", () => {
    const presence = { kind: 'damaged', stop: DAMAGE } as const;
    const answers = { trusted: trustedTo(CLAIM), generation: OTHER, presence };
    assertDecides(['damaged', 11, 'trusted', 'generation', 'presence'], {}, answers);
  });
});
