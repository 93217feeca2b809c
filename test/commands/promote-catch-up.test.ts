import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { withBlobPair } from '../support/blob-pair.js';
import { type Run, Running, syncpozo } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { flip } from '../support/json-damage.js';
import { fork, writeRole } from '../support/json-scenes.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { assertPromoted, batchBeyond, eventually, promote, promoteArgs, roleFileOf } from '../support/promotion.js';

const from = (pair: Pair, ...more: string[]): Run =>
  promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '60', ...more);

/** Asserts that the slave was promoted as it was before, and why it was not caught up. */
function assertAsItWas(pair: Pair, why: RegExp, ...more: string[]): Run {
  const before = readFileSync(pair.slaveFile);
  const run = from(pair, ...more);
  assertPromoted(pair, run, run.exit === 4 ? 4 : 0);
  assert.match(run.json.catchUpProblem, why);
  assert.equal(run.json.caughtUp, null);
  assert.deepEqual(readFileSync(pair.slaveFile), before, 'no byte was changed');
  return run;
}

describe('promote --master brings the slave up to date first,', () => {
  it('so that nothing is lost, and its age is nothing', () =>
    withPair((pair) => {
      const before = readFileSync(pair.synced().masterFile).length;
      pair.commit('not on the slave', 'nor this');
      const run = from(pair, '--max-age', '1min');
      assertPromoted(pair, run);
      const { caughtUp, catchUpProblem, loss, slave, ageSeconds, sync } = run.json;
      const bytes = readFileSync(pair.masterFile).length - before;
      assert.deepEqual([caughtUp, catchUpProblem], [{ transactions: 2, bytes }, null]);
      assert.deepEqual([loss.possible, loss.transactions, loss.masterTid], [false, 0, slave.lastTid]);
      assert.equal(slave.lastTid, formatTid(pair.site.lastTid));
      assert.ok(ageSeconds < 20, `${ageSeconds} s`);
      assert.equal(sync, null, 'its own sync is none that was ended');
      pair.assertInStep();
    }));

  it('but a master whose server still runs may commit more, so that a loss is possible', () =>
    withPair((pair) => {
      pair.synced().commit('not on the slave');
      const run = from(pair, '--master-serves');
      assertPromoted(pair, run);
      const { caughtUp, loss, slave } = run.json;
      assert.equal(caughtUp.transactions, 1);
      assert.deepEqual([loss.possible, loss.certain, loss.transactions], [true, false, null]);
      assert.equal(loss.masterTid, slave.lastTid);
      assert.match(loss.why, /the server of the master still runs/);
    }));

  it('and never over one that has served in a term that this side has not followed, without --force', () =>
    withPair((pair) => {
      pair.synced().commit('lost');
      promote(pair);
      pair.commitToSlave('served');
      const other = `${pair.statusFile}.master`;
      const directory = join(pair.directory, 'old master');
      mkdirSync(directory);
      copyFileSync(pair.masterFile, join(directory, 'Data.fs'));
      const old = (...more: string[]): Run =>
        syncpozo(['promote', directory, '--master', pair.slave, '--status-file', other, '--json', ...more]);
      for (const more of [[], ['--catch-up', '0']]) {
        const run = old('--patience', '20', ...more);
        assert.deepEqual([run.exit, run.json.promoted], [3, false], run.all);
        assert.match(run.json.reason, /has served in term 1, and this side has followed up to term 0/);
        assert.match(run.json.hint, /rejoin .*slave\/Data\.fs .*old master\/Data\.fs/);
        assert.ok(!existsSync(join(directory, 'Data.fs.role')));
      }
      assert.equal(old('--patience', '20', '--force').exit, 0);
    }));

  it('also with the switch off, and where the status file cannot be written', () =>
    withPair((pair) => {
      pair.synced().commit('not on the slave');
      syncpozo(['off', '--status-file', pair.statusFile]);
      rmSync(pair.statusFile);
      mkdirSync(pair.statusFile);
      const run = from(pair);
      assert.deepEqual([run.exit, run.json.caughtUp.transactions], [0, 1], run.all);
      pair.assertInStep();
    }));

  it('with what a killed sync has left: a batch that is complete is not cut off to be copied again', () =>
    withPair((pair) => {
      pair.synced();
      appendFileSync(pair.slaveFile, batchBeyond(pair));
      pair.commit('behind the batch');
      assert.deepEqual(from(pair).json.catchUpProblem, null);
      pair.assertInStep();
    }));

  it('and without what the master has not committed', () =>
    withPair((pair) => {
      pair.synced().commit('committed');
      const end = pair.site.committedEnd;
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      const run = from(pair);
      assertPromoted(pair, run);
      assert.deepEqual([run.json.caughtUp.transactions, run.json.loss.possible], [1, false]);
      assert.deepEqual(readFileSync(pair.slaveFile), readFileSync(pair.masterFile).subarray(0, end));
    }));

  it('with the blobs, which it asks for where they are synced', () =>
    withBlobPair((pair) => {
      pair.commitBlobs('the first blob');
      pair.syncedBlobs();
      const ids = pair.commitBlobs('another one');
      const run = assertAsItWas(pair, /--blobs is missing/);
      assert.equal(run.json.loss.transactions, 1);
      syncpozo(['demote', pair.slave, '--status-file', pair.statusFile]);
      syncpozo(['on', '--status-file', pair.statusFile]);
      pair.syncedBlobs();
      const more = [...ids, ...pair.commitBlobs('the last one')];
      const blobs = ['--blobs', `${pair.masterBlobs}:${pair.slaveBlobs}`];
      const promoted = from(pair, ...blobs);
      assertPromoted(pair, promoted);
      assert.equal(promoted.json.catchUpProblem, null);
      pair.assertInStep();
      pair.assertSameBlobs(more);
    }));

  it('of every storage of a configuration', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      assert.equal(configured.run('sync', '--json').exit, 0);
      for (const pair of configured.pairs.values()) pair.commit('not on the slave');
      const { json } = configured.run('promote', '--json', '--patience', '20', '--catch-up', '60');
      for (const [name, pair] of configured.pairs) {
        assert.deepEqual(json.storages[name].caughtUp.transactions, 1);
        pair.assertInStep();
      }
    }));

  it('and ends a sync that is at work', () =>
    withPair(async (pair) => {
      pair.synced().commit('not on the slave');
      await heldByOther(pair, 'syncpozo', (pid) => {
        const run = from(pair, '--grace', '0.2');
        assertPromoted(pair, run);
        assert.deepEqual(run.json.sync, { pid: String(pid), how: 'ended' });
        pair.assertInStep();
      });
    }));
});

describe('a slave that cannot be caught up is promoted as it is: the master', () => {
  const SCENES: Readonly<Record<string, readonly [(pair: Pair) => void, RegExp]>> = {
    'has forked': [fork, /transactions that the master lacks|forked/],
    'has been packed': [
      (pair) => {
        pair.synced().commit('again', 'and again');
        pair.site.pack();
      },
      /packed: a catch-up copies no complete file/,
    ],
    'is gone': [(pair) => rmSync(pair.synced().masterFile), /master out of reach/],
    'is another directory, and empty': [
      (pair) => {
        pair.synced();
        rmSync(pair.master, { recursive: true });
        mkdirSync(pair.master);
      },
      /master out of reach/,
    ],
    'is no Data.fs': [(pair) => writeFileSync(pair.synced().masterFile, 'nonsense'), /does not begin with|no Data\.fs/],
    'is superseded': [(pair) => writeRole(pair.synced().masterFile, 'superseded'), /superseded/],
    'is shorter than the slave': [(pair) => truncateSync(pair.synced().masterFile, 100), /./],
  };
  for (const [name, [change, why]] of Object.entries(SCENES))
    it(name, () =>
      withPair((pair) => {
        change(pair);
        assertAsItWas(pair, why);
        assert.doesNotMatch(readFileSync(roleFileOf(pair), 'utf8'), /^refused/m, 'and no refusal is recorded');
      }),
    );

  it('is damaged: what comes before the damage is caught up', () =>
    withPair((pair) => {
      pair.synced().commit('good', 'to be damaged');
      const bytes = readFileSync(pair.masterFile);
      bytes[bytes.length - 3]! ^= 1;
      writeFileSync(pair.masterFile, bytes);
      const run = from(pair);
      assertPromoted(pair, run);
      assert.match(run.json.catchUpProblem, /damaged/);
      assert.deepEqual([run.json.caughtUp.transactions, run.json.caughtUp.bytes > 0], [null, true]);
    }));

  it('has rotted where the slave has: served as the format allows', () =>
    withPair((pair) => {
      flip(pair.synced().slaveFile, 'the second');
      flip(pair.masterFile, 'the second');
      assert.equal(assertAsItWas(pair, /damaged/).exit, 4);
    }));

  it('is on another machine, by its path', () =>
    withPair((pair) => {
      const run = promote(pair.synced(), '--master', 'm1:/srv/zeo/var');
      assertPromoted(pair, run);
      assert.deepEqual([run.json.caughtUp, run.json.catchUpProblem], [null, null]);
      assert.match(run.json.loss.why, /not a path of this machine/);
    }));

  it('has more than can be copied in time: what is left is complete, and promoted', () =>
    withPair((pair) => {
      pair.synced();
      for (let n = 0; n < 40; n++) pair.commit('x'.repeat(100_000));
      const run = promote(pair, '--master', pair.master, '--catch-up', '0.01', '--patience', '20');
      assertPromoted(pair, run);
      assert.match(run.json.catchUpProblem, /not done after 0\.01 s/);
      assert.equal(run.json.loss.transactions, 40);
      assert.ok(
        readFileSync(pair.masterFile).subarray(0, run.json.slave.position).equals(readFileSync(pair.slaveFile)),
      );
    }));
});

describe('promote --master', () => {
  it('--catch-up 0 copies nothing', () =>
    withPair((pair) => {
      pair.synced().commit('lost');
      const run = promote(pair, '--master', pair.master, '--catch-up', '0', '--patience', '20');
      assertPromoted(pair, run);
      const { caughtUp, catchUpProblem, loss } = run.json;
      assert.deepEqual([caughtUp, catchUpProblem, loss.transactions], [null, null, 1]);
    }));

  it('copies nothing to a slave that another program uses, or that was promoted before', () =>
    withPair(async (pair) => {
      pair.synced().commit('not on the slave');
      await heldByOther(pair, ' PID\n', () => {
        const run = pair.unchanged(() => from(pair));
        assert.deepEqual([run.exit, run.json.promoted], [5, false], run.all);
      });
      promote(pair, '--catch-up', '0');
      const again = pair.unchanged(() => from(pair));
      assert.deepEqual([again.exit, again.json.already, again.json.caughtUp], [0, true, null]);
    }));

  it('killed at any moment, and called again, loses nothing', () =>
    withPair(async (pair) => {
      pair.synced();
      for (const delay of [150, 300, 450, 600, 750]) {
        pair.commit('not on the slave');
        const running = Running.start(promoteArgs(pair, '--master', pair.master, '--patience', '20'));
        await new Promise((resolve) => setTimeout(resolve, delay));
        running.signal('SIGKILL');
        await running.end();
      }
      await eventually(() => {
        const run = from(pair);
        return run.exit === 0 && run.json.promoted === true;
      });
      const [slave, master] = [readFileSync(pair.slaveFile), readFileSync(pair.masterFile)];
      assert.ok(master.subarray(0, slave.length).equals(slave), 'the slave is a beginning of the master');
    }));
});
