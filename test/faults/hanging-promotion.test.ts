import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { hasOpen } from '../../src/io/dying.js';
import { type Run, Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type Mount, needsFuse, withMount } from '../support/hanging-mount.js';
import type { Pair } from '../support/pair.js';
import { promote } from '../support/promotion.js';

/** A takeover that waits for a hanging master without end takes far longer than this. */
const LONGEST_SECONDS = 15;

function synced(pair: Pair, mount: Mount): void {
  const run = syncpozo(['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile]);
  assert.equal(run.exit, 0, run.all);
}

/** Promotes with the default times, and asserts that the slave is served as it was. */
function promoted(pair: Pair, mount: Mount, why: RegExp): Run {
  const before = readFileSync(pair.slaveFile);
  const run = promote(pair, '--master', mount.point);
  assert.deepEqual([run.exit, run.json.promoted], [0, true], run.all);
  assert.match(run.json.catchUpProblem, why);
  assert.match(run.json.loss.why, /out of reach/);
  assert.deepEqual([run.json.loss.possible, run.json.loss.certain], [true, false]);
  assert.ok(run.json.seconds < LONGEST_SECONDS, `${run.json.seconds} s`);
  assert.deepEqual(readFileSync(pair.slaveFile), before);
  return run;
}

describe('a promotion that would catch up with a master whose mount hangs', { skip: needsFuse ?? false }, () => {
  it('altogether', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      pair.commit('never seen by the slave');
      mount.stopAnswering();
      promoted(pair, mount, /has not answered for 0\.9 s/);
    }));

  it('from the first byte on', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      pair.commit('never seen by the slave');
      mount.hangBeyond(0);
      promoted(pair, mount, /no progress|not answered/);
    }));

  it('behind what the slave has', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      mount.hangBeyond(pair.site.committedEnd);
      pair.commit('never seen by the slave', 'nor this');
      promoted(pair, mount, /no progress/);
    }));

  it('in the middle of what it lacks, and keeps what had come before', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      for (let n = 0; n < 30; n++) pair.commit('x'.repeat(1 << 20));
      mount.hangBeyond(pair.site.committedEnd - (1 << 20));
      const run = promote(pair, '--master', mount.point);
      assert.deepEqual([run.exit, run.json.promoted], [0, true], run.all);
      assert.match(run.json.catchUpProblem, /no progress/);
      assert.ok(run.json.seconds < LONGEST_SECONDS, `${run.json.seconds} s`);
      const slave = readFileSync(pair.slaveFile);
      assert.ok(readFileSync(pair.masterFile).subarray(0, slave.length).equals(slave), 'a beginning of the master');
    }));

  it('while a sync hangs in it that even SIGKILL does not end', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      mount.hangBeyond(pair.site.committedEnd);
      pair.commit('never seen by the slave', 'nor this');
      const running = Running.start(['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile]);
      const lock = `${pair.slaveFile}.lock`;
      await eventually('the sync hangs', () => mount.holdsARead && hasOpen(String(running.pid), lock) === true);
      // It cannot release the lock by itself, and its remains hang after the SIGKILL.
      process.kill(running.pid, 'SIGSTOP');
      const run = promoted(pair, mount, /hangs in a read of the master|no progress|not answered/);
      assert.equal(run.json.sync.pid, String(running.pid));
      await mount.end();
      await running.end();
    }));

  it('and answers again later: nothing is written behind its back', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      mount.hangBeyond(pair.site.committedEnd);
      pair.commit('never seen by the slave', 'nor this');
      promoted(pair, mount, /no progress/);
      pair.commitToSlave('served from here');
      const served = readFileSync(pair.slaveFile);
      mount.answer();
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual(readFileSync(pair.slaveFile), served);
    }));
});

describe('may-serve', { skip: needsFuse ?? false }, () => {
  it('takes a peer whose mount hangs for one that is out of reach', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      promote(pair);
      mount.stopAnswering();
      const ask = (): Run => syncpozo(['may-serve', pair.slave, '--peer', mount.point, '--patience', '1', '--json']);
      const fresh = ask();
      assert.deepEqual([fresh.exit, fresh.json.peer.role, fresh.json.cleanStop], [0, 'unreachable', true], fresh.all);
      assert.match(fresh.json.peer.problem, /has not answered for 1 s/);
      pair.commitToSlave('served, and killed');
      assert.deepEqual([ask().exit, ask().json.cleanStop], [3, false]);
    }));
});

describe('a sync of a promoted side', { skip: needsFuse ?? false }, () => {
  it('ends with 0 when the mount of the other side hangs', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      promote(pair);
      mount.stopAnswering();
      const run = syncpozo(['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile]);
      assert.deepEqual([run.exit, run.json.action], [0, 'off'], run.all);
    }));

  it('leaves no more processes behind, however often it runs', () =>
    withMount(async (pair, mount) => {
      synced(pair, mount);
      promote(pair);
      mount.stopAnswering();
      const asks = () => spawnSync('pgrep', ['-fc', `^dd if=${mount.point}`], { encoding: 'utf8' }).stdout;
      for (let round = 0; round < 3; round++)
        syncpozo(['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile]);
      assert.equal(Number(asks()), 1);
    }));
});
