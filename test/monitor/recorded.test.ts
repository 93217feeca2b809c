import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, type Verdict } from '../../src/monitor/judgement.js';
import { recordedView } from '../../src/monitor/recorded.js';
import type { Standing, StandingEvent } from '../../src/report/standing.js';
import { aStanding, isoAgo } from '../support/monitored.js';

function promotable(changes: Partial<Standing>, maxAgeSeconds?: number): Verdict {
  return judge('promotable', recordedView(aStanding(changes), Date.now()), { lagSeconds: 60, maxAgeSeconds });
}

function anEvent(name: string, secondsAgo: number, facts: StandingEvent['facts']): StandingEvent {
  return { name, time: isoAgo(secondsAgo), storage: null, slave: '/srv/zeo/var/Data.fs', message: `${name}!`, facts };
}

const OUT_OF_REACH = {
  state: 'out-of-reach',
  lastOutcome: { time: isoAgo(1), exitCode: 1, action: 'failed', reason: 'the mount is gone' },
} as const;

describe('what the files of a slave say to a health check:', () => {
  it('a slave whose master is out of reach can be promoted', () => {
    assert.ok(promotable({}).ok);
    assert.ok(promotable(OUT_OF_REACH).ok);
  });

  it('an age counts from the last sync in step; a time in the future is none', () => {
    assert.ok(promotable({ lastSync: isoAgo(30) }, 60).ok);
    assert.ok(!promotable({ lastSync: isoAgo(90) }, 60).ok);
    assert.ok(!promotable({ lastSync: isoAgo(-90) }, 60).ok);
    assert.ok(!promotable({ lastSync: null }, 60).ok);
  });

  it('wrong bytes of the slave are not made good by a master that is out of reach since', () => {
    const lastSync = isoAgo(100);
    for (const facts of [{ slaveToo: true }, { missing: 0, wrong: 1 }]) {
      const found = { ...OUT_OF_REACH, lastSync, events: [anEvent('damage', 50, facts), anEvent('fault', 10, {})] };
      assert.deepEqual(promotable(found), { ok: false, why: 'damaged before: damage!' });
    }
    const ofMaster = [anEvent('damage', 50, { slaveToo: false }), anEvent('blob-missing', 50, { wrong: 0 })];
    assert.ok(promotable({ ...OUT_OF_REACH, lastSync, events: ofMaster }).ok);
    const repaired = [anEvent('damage', 150, { slaveToo: true })];
    assert.ok(promotable({ ...OUT_OF_REACH, lastSync, events: repaired }).ok);
  });
});
