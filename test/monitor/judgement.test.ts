import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHECKS, type Check, judge, type Limits, type View } from '../../src/monitor/judgement.js';
import type { SlaveState, Standing } from '../../src/report/standing.js';
import { SLAVE_STATES } from '../../src/report/standing.js';
import { aStanding, figures } from '../support/monitored.js';

const LIMITS: Limits = { lagSeconds: 60, maxAgeSeconds: undefined };

function view(standing: Partial<Standing> = {}, changes: Partial<View> = {}): View {
  return {
    standing: aStanding(standing),
    unreadable: undefined,
    figures: figures(),
    inStepAge: 1,
    endAge: 1,
    upSeconds: 1000,
    stallSeconds: 300,
    ...changes,
  };
}

/** The checks that are answered with yes. */
function yesOf(seen: View, limits: Limits = LIMITS): Check[] {
  return CHECKS.filter((check) => judge(check, seen, limits).ok);
}

const LAST = figures().last!;

describe('a health check', () => {
  it('of a slave in step', () => {
    assert.deepEqual(yesOf(view()), ['liveness', 'readiness', 'promotable', 'slave']);
  });

  it('in each state', () => {
    const expected: Record<SlaveState, Check[]> = {
      'in-step': ['readiness', 'promotable', 'slave'],
      behind: ['readiness', 'promotable', 'slave'],
      'never-synced': [],
      refused: [],
      forked: [],
      damaged: [],
      'cut-short': [],
      'out-of-reach': ['promotable', 'slave'],
      'in-use': [],
      fault: ['slave'],
      promoted: [],
      unknown: [],
    };
    for (const state of SLAVE_STATES)
      assert.deepEqual(yesOf(view({ state, stateReason: 'why' })), ['liveness', ...expected[state]], state);
  });

  it('in each role', () => {
    const expected: Record<Standing['role'], Check[]> = {
      slave: ['readiness', 'promotable', 'slave'],
      promoted: ['readiness', 'master'],
      none: [],
      rejoining: [],
      superseded: [],
      unreadable: [],
    };
    for (const [role, checks] of Object.entries(expected))
      assert.deepEqual(yesOf(view({ role: role as Standing['role'] })), ['liveness', ...checks], role);
  });

  it('of a promoted side that has nothing to serve', () => {
    const gone = view({ role: 'promoted', size: null });
    assert.deepEqual(yesOf(gone), ['liveness', 'readiness']);
    assert.match(judge('master', gone, LIMITS).why, /missing or empty/);
  });

  it('of a state that cannot be read knows only that the watch works', () => {
    const unreadable = view({}, { standing: undefined, unreadable: 'stat /srv: input/output error (EIO)' });
    assert.deepEqual(yesOf(unreadable), ['liveness']);
    assert.match(judge('master', unreadable, LIMITS).why, /EIO/);
  });

  it('of a watch that has stopped: what it knew is no proof any more', () => {
    const stopped = view({}, { endAge: 301, inStepAge: 301 });
    assert.deepEqual(yesOf(stopped), ['promotable']);
    assert.deepEqual(yesOf(stopped, { lagSeconds: 60, maxAgeSeconds: 60 }), []);
    const never = view({}, { endAge: undefined, inStepAge: undefined, upSeconds: 301 });
    assert.ok(!judge('liveness', never, LIMITS).ok);
    assert.ok(judge('liveness', { ...never, upSeconds: 2 }, LIMITS).ok);
  });

  it('of a mount that hangs: the watch lives, and the slave can be promoted', () => {
    const hung = view({}, { endAge: 4000, inStepAge: 4000, figures: figures({ hungSince: 1, hungReads: 1 }) });
    assert.deepEqual(yesOf(hung), ['liveness', 'promotable']);
  });

  it('of a round that takes long', () => {
    const long = view({}, { endAge: 4000, inStepAge: 4000, figures: figures({ runningSince: 1 }) });
    assert.deepEqual(yesOf(long), ['liveness', 'readiness', 'promotable']);
  });

  it('before the first check', () => {
    const fresh = view(
      {},
      { endAge: undefined, inStepAge: undefined, upSeconds: 1, figures: figures({ last: undefined }) },
    );
    assert.deepEqual(yesOf(fresh), ['liveness', 'promotable']);
  });

  it('of slave compares the proven age with the limit', () => {
    const at = (inStepAge: number | undefined, lagSeconds = 60): boolean =>
      judge('slave', view({}, { inStepAge }), { ...LIMITS, lagSeconds }).ok;
    assert.deepEqual([at(60), at(60.001), at(undefined), at(0, 0), at(0.001, 0)], [true, false, false, true, false]);
  });

  it('of a slave that cannot be trusted', () => {
    const blobs = { directory: '/b', problem: null, count: 3, bytes: 10, missing: 1, lastFullScrub: null };
    const cases: Partial<Standing>[] = [
      { claim: null, problem: 'there is no .dat' },
      { size: 999 },
      { size: null },
      { lockedBy: 'another program' },
      { blobs },
      { blobs: { ...blobs, missing: 0, problem: 'the blob directory /b does not exist' } },
    ];
    for (const standing of cases) {
      const yes = yesOf(view(standing));
      assert.ok(!yes.includes('promotable') && !yes.includes('slave'), JSON.stringify(standing));
      if (standing.blobs) assert.ok(!yes.includes('readiness'));
    }
    assert.ok(yesOf(view({ blobs: { ...blobs, missing: 0 } })).includes('promotable'));
    const rotten = view(
      { state: 'out-of-reach' },
      { figures: figures({ damagedSlave: 'its bytes 4 to 9 are wrong' }) },
    );
    assert.deepEqual(yesOf(rotten), ['liveness']);
    for (const exitCode of [3, 4, 5]) {
      const last = { ...LAST, action: 'refused', exitCode, reason: 'the two have forked' };
      assert.deepEqual(yesOf(view({}, { figures: figures({ last }) })), ['liveness'], String(exitCode));
    }
  });

  it('with the switch off: nobody is to promote by itself, and nothing is wrong', () => {
    assert.deepEqual(yesOf(view({ switch: 'off' })), ['liveness', 'readiness', 'slave']);
  });

  it('gives its reason for either answer', () => {
    for (const check of CHECKS)
      for (const seen of [view(), view({ state: 'refused', stateReason: 'forked' }), view({ role: 'promoted' })])
        assert.match(judge(check, seen, LIMITS).why, /\w/);
  });
});
