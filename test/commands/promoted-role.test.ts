import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote, roleOf } from '../support/promotion.js';

describe('a promoted slave', () => {
  it('is never written by a sync, whatever the options and the status file', () =>
    withPair(async (pair) => {
      pair.synced();
      promote(pair);
      pair.commit('must not be copied');
      pair.commitToSlave('served from here');
      for (const prepare of [() => rmSync(pair.statusFile), () => writeFileSync(pair.statusFile, 'SYNCING=1\n')]) {
        prepare();
        for (const more of [[], ['--full'], ['--dry-run']]) {
          const run = pair.unchanged(() => pair.sync(...more));
          assertEnd(run, { exit: 0, action: 'off', reason: /promoted.*syncpozo demote/ });
        }
      }
      // A server that has it open is no error either.
      await heldByOther(pair, ' PID\n', () => assertEnd(pair.sync(), { exit: 0, action: 'off', reason: /promoted/ }));
    }));

  it('needs no master: a dead mount is no fault of it, as it is of a slave', () =>
    withPair((pair) => {
      pair.synced();
      const dead = (): void => {
        renameSync(pair.master, `${pair.master}.gone`);
        // Each access to it fails, and says nothing about whether there is a master.
        symlinkSync(pair.master, pair.master);
      };
      dead();
      assertEnd(pair.sync(), { exit: 1, action: 'failed' });
      rmSync(pair.master);
      renameSync(`${pair.master}.gone`, pair.master);
      pair.synced();
      promote(pair);
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      dead();
      const outcome = readFileSync(`${pair.slaveFile}.outcome`);
      assertEnd(pair.sync(), { exit: 0, action: 'off', reason: /promoted/ });
      assert.deepEqual(readFileSync(`${pair.slaveFile}.outcome`), outcome);
    }));

  it('remains promoted after a pack', () =>
    withPair((pair) => {
      pair.synced();
      promote(pair);
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      copyFileSync(pair.slaveFile, `${pair.slaveFile}.packed`);
      rmSync(pair.slaveFile);
      copyFileSync(`${pair.slaveFile}.packed`, pair.slaveFile);
      assertEnd(
        pair.unchanged(() => pair.sync('--full')),
        { exit: 0, action: 'off', reason: /promoted/ },
      );
      assert.equal(promote(pair).json.already, true);
    }));

  it('reports in its status its state at the promotion', () =>
    withPair((pair) => {
      pair.synced();
      const { slave, lastSync } = promote(pair).json;
      const args = ['status', pair.slave, '--status-file', pair.statusFile];
      const { json } = syncpozo([...args, '--json']);
      assert.deepEqual([json.role, json.lastSync], ['promoted', lastSync]);
      const { position, tid, at } = json.promoted;
      assert.deepEqual([position, tid], [slave.position, slave.lastTid]);
      assert.match(at, /^\d{4}-.*Z$/);
      assert.match(syncpozo(args).stdout, /^role: +promoted, at .* with transaction/m);
      const watched = syncpozo([...args, '--max-age', '0']);
      assert.equal(watched.exit, 1);
      assert.match(watched.stdout, /^SYNCPOZO WARNING - the slave has been promoted: there is no standby/);
    }));
});

describe('syncpozo demote', () => {
  const demote = (pair: Pair) => syncpozo(['demote', pair.slave, '--status-file', pair.statusFile, '--json']);

  it('makes it a slave again, and the next sync compares it with the master', () =>
    withPair((pair) => {
      pair.synced();
      promote(pair);
      const run = demote(pair);
      assert.deepEqual([run.exit, run.json.demoted, run.json.syncing], [0, true, false]);
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      pair.commit('the master serves again');
      assertEnd(pair.sync(), { exit: 0, action: 'adopt' });
      pair.assertInStep();
    }));

  it('loses nothing: transactions of its own are refused', () =>
    withPair((pair) => {
      pair.synced();
      promote(pair);
      pair.commitToSlave('served from here');
      pair.commit('and there');
      demote(pair);
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      const run = pair.sync();
      assert.equal(run.exit, 3, run.all);
    }));

  it('does nothing to a slave, and is refused while a server has it open', () =>
    withPair(async (pair) => {
      pair.synced();
      const none = pair.unchanged(() => demote(pair));
      assert.deepEqual([none.exit, none.json.demoted], [0, false]);
      promote(pair);
      await heldByOther(pair, ' PID\n', () => {
        const run = pair.unchanged(() => demote(pair));
        assert.deepEqual([run.exit, run.json.demoted], [5, false]);
      });
      assert.equal(roleOf(pair), 'master');
    }));
});
