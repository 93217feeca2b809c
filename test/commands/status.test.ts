import assert from 'node:assert/strict';
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid, tidToTime } from '../../src/filestorage/tid.js';
import { formatRole } from '../../src/standby/role.js';
import { assertEnd, assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

/** Runs status, which must not write anything. */
function statusOf(pair: Pair, ...more: string[]): Run {
  const everything = () => [pair.master, pair.slave].map((directory) => listing(directory, { locks: true }));
  const before = everything();
  const run = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, ...more]);
  assertNoCrash(run);
  assert.deepEqual(everything(), before);
  return run;
}

/** Sets the slave's role as a promotion does. */
function promote(pair: Pair): void {
  writeFileSync(`${pair.slaveFile}.role`, formatRole({ role: 'master', terms: [] }));
}

describe('syncpozo status', () => {
  it('reports the claim, the last sync and, with the master, no lag of a slave in step', () =>
    withPair((pair) => {
      pair.synced();
      const { exit, json } = statusOf(pair, '--json', '--master', pair.master);
      assert.equal(exit, 0);
      const tid = formatTid(pair.site.lastTid);
      const end = pair.site.committedEnd;
      assert.deepEqual(
        [json.slave, json.role, json.switch, json.lockedBy, json.size, json.problem],
        [pair.slaveFile, 'slave', 'on', 'nobody', end, null],
      );
      assert.deepEqual([json.claim.position, json.claim.tid], [end, tid]);
      assert.match(json.claim.time, /^2026-01-01T00:00:/);
      assert.match(json.lastSync, /^\d{4}-.*Z$/);
      assert.ok(json.ageSeconds >= 0);
      assert.deepEqual(json.master, { path: pair.masterFile, problem: null, lastTid: tid, lastTime: json.claim.time });
      assert.deepEqual(json.lag, { seconds: 0, transactions: 0, bytes: 0 });
    }));

  it('reports how far the slave is behind', () =>
    withPair((pair) => {
      pair.synced();
      const end = pair.site.committedEnd;
      pair.commit('one');
      const oldest = tidToTime(pair.site.lastTid) ?? 0;
      pair.commit('two');
      const { json } = statusOf(pair, '--json', '--master', pair.master);
      const { seconds, ...counts } = json.lag;
      assert.deepEqual(counts, { transactions: 2, bytes: pair.site.committedEnd - end });
      const age = (Date.now() - oldest) / 1000;
      assert.ok(seconds > age - 20 && seconds <= age, 'the age of the oldest transaction that the slave lacks');
      assert.equal(json.master.lastTid, formatTid(pair.site.lastTid));
    }));

  it('reports the time of the last full scrub', () =>
    withPair((pair) => {
      pair.synced();
      const never = statusOf(pair, '--json').json;
      assert.deepEqual([never.lastFullScrub, never.fullScrubAgeSeconds], [null, null]);
      assert.match(statusOf(pair).stdout, /^last full scrub: +never$/m);
      pair.synced('--scrub', 'full');
      const { json } = statusOf(pair, '--json');
      assert.match(json.lastFullScrub, /^\d{4}-.*Z$/);
      assert.ok(json.fullScrubAgeSeconds >= 0 && json.fullScrubAgeSeconds < 3600);
      assert.match(statusOf(pair).stdout, /^last full scrub: +\d{4}-.*Z, \d+ s ago$/m);
    }));

  it('prints a line for each fact as text', () =>
    withPair((pair) => {
      pair.synced();
      const { exit, stdout, stderr } = statusOf(pair, '--master', pair.master);
      assert.deepEqual([exit, stderr], [0, '']);
      for (const line of [/^slave: +\/.*Data\.fs$/m, /^role: +slave$/m, /^switch: +SYNCING=1 \(/m, /^lag: +0 s/m])
        assert.match(stdout, line);
    }));

  it('works when there is no slave yet', () =>
    withPair((pair) => {
      const { exit, json } = statusOf(pair, '--json', '--master', pair.master);
      assert.equal(exit, 0);
      assert.deepEqual(
        [json.role, json.size, json.claim, json.lastSync, json.ageSeconds, json.lag],
        ['none', null, null, null, null, null],
      );
      assert.match(json.problem, /missing/);
      assert.equal(json.master.lastTid, formatTid(pair.site.lastTid));
    }));

  it('works when the .dat is missing or unusable', () =>
    withPair((pair) => {
      pair.synced();
      writeFileSync(pair.dat, 'garbage');
      assert.match(statusOf(pair, '--json').json.problem, /is not usable/);
      rmSync(pair.dat);
      const { json, exit } = statusOf(pair, '--json');
      assert.deepEqual([exit, json.claim, json.problem], [0, null, 'the .dat is missing']);
      assert.match(statusOf(pair).stdout, /claim: +none: the \.dat is missing/);
    }));

  it('works when syncing is switched off', () =>
    withPair((pair) => {
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      assert.equal(statusOf(pair, '--json').json.switch, 'off');
      assert.match(statusOf(pair).stdout, /switch: +SYNCING=0/);
    }));

  it('works when the slave was truncated', () =>
    withPair((pair) => {
      pair.synced();
      truncateSync(pair.slaveFile, 100);
      const { exit, json } = statusOf(pair, '--json', '--master', pair.master);
      assert.deepEqual([exit, json.size], [0, 100]);
    }));

  it('works when the master is unreachable or no Data.fs', () =>
    withPair((pair) => {
      pair.synced();
      const nowhere = statusOf(pair, '--json', '--master', join(pair.directory, 'nowhere'));
      assert.deepEqual([nowhere.exit, nowhere.json.lag], [0, null]);
      assert.match(nowhere.json.master.problem, /does not exist/);
      truncateSync(pair.masterFile, 0);
      assert.match(statusOf(pair, '--json', '--master', pair.master).json.master.problem, /is empty/);
    }));

  it('is an error when the state cannot be determined: no directory, a link, an invalid status file', () =>
    withPair((pair) => {
      const nowhere = syncpozo(['status', join(pair.directory, 'nowhere'), '--status-file', pair.statusFile]);
      assertNoCrash(nowhere);
      assert.equal(nowhere.exit, 2);
      assert.match(nowhere.stderr, /does not exist\nhint: /);
      writeFileSync(pair.statusFile, 'garbage');
      const garbage = statusOf(pair);
      assert.equal(garbage.exit, 2);
      assert.match(garbage.stderr, /holds "garbage"/);
      rmSync(pair.statusFile);
      symlinkSync(pair.masterFile, pair.slaveFile);
      assert.equal(statusOf(pair).exit, 2);
    }));
});

describe('a promoted slave', () => {
  it('is reported as promoted, and is never written again', () =>
    withPair((pair) => {
      pair.synced();
      promote(pair);
      pair.commit('must not be copied');
      pair.commitToSlave('served from here');
      assert.equal(statusOf(pair, '--json').json.role, 'promoted');
      for (const more of [[], ['--full'], ['--dry-run']]) {
        const run = pair.unchanged(() => pair.sync(...more));
        assertEnd(run, { exit: 0, action: 'off', reason: /promoted/ });
        assert.ok(
          run.records.some(({ msg }) => msg === 'NOT SYNCING FROM MASTER'),
          run.all,
        );
      }
    }));
});
