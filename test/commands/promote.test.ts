import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid, tidToIso } from '../../src/filestorage/tid.js';
import { parseDat } from '../../src/standby/dat.js';
import { assertNoCrash, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { withPair } from '../support/pair.js';
import { assertPromoted, eventually, promote } from '../support/promotion.js';

describe('syncpozo promote', () => {
  it("switches syncing off, sets the role, reports the slave's end and that transactions may be lost", () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('never seen by the slave');
      const before = readFileSync(pair.slaveFile);
      const run = promote(pair);
      assertPromoted(pair, run);
      const { slave, loss, json = run.json } = run.json;
      const parsed = parseDat(readFileSync(pair.dat, 'utf8'));
      assert.ok('dat' in parsed);
      const { tid, position } = parsed.dat.claim;
      assert.deepEqual([slave.position, slave.lastTid, slave.lastTime], [position, formatTid(tid), tidToIso(tid)]);
      assert.deepEqual(
        [loss.possible, loss.certain, loss.afterTid, loss.transactions],
        [true, false, formatTid(tid), null],
      );
      assert.match(json.lastSync, /^\d{4}-.*Z$/);
      assert.equal(json.checked, 'the last chunk');
      assert.deepEqual(readFileSync(pair.slaveFile), before);
    }));

  it('prints the next steps as text', () =>
    withPair((pair) => {
      pair.synced();
      const run = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile]);
      assert.deepEqual([run.exit, run.stderr], [0, '']);
      for (const line of [
        /^\/.*Data\.fs is promoted: /m,
        /^it ends at \d+ with transaction [0-9a-f]{16} of 2026/m,
        /MAY BE LOST/,
        /\*\.zec/,
      ])
        assert.match(run.stdout, line);
    }));

  it('of a file that was never a slave: nothing is lost, and no clients have to be restarted', () =>
    withPair((pair) => {
      const serving = join(pair.directory, 'serving');
      mkdirSync(serving);
      copyFileSync(pair.masterFile, join(serving, 'Data.fs'));
      const args = ['promote', serving, '--status-file', pair.statusFile];
      const run = syncpozo([...args, '--master', pair.slave]);
      assert.deepEqual([run.exit, run.stderr], [0, '']);
      assert.match(run.stdout, /^nothing is lost: this file was never a slave$/m);
      assert.doesNotMatch(run.stdout, /zec|not caught up/);
      const events = readFileSync(join(serving, 'Data.fs.events'), 'utf8').trim().split('\n');
      assert.equal(events.length, 1);
      const { name, facts } = JSON.parse(events[0] ?? '');
      assert.deepEqual([name, facts.loss], ['promoted', 'none']);
    }));

  it('of a slave that has lost its own files: it is not taken for a file that was never a slave', () =>
    withPair((pair) => {
      pair.synced();
      for (const file of [pair.dat, `${pair.slaveFile}.role`]) rmSync(file, { force: true });
      assert.equal(promote(pair).json.loss.possible, true);
    }));

  it('of a file that was never a slave, and lacks what a master has: that is lost', () =>
    withPair((pair) => {
      const copy = join(pair.slave, 'Data.fs');
      copyFileSync(pair.masterFile, copy);
      pair.commit('lost');
      const { loss } = promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '0').json;
      assert.deepEqual([loss.possible, loss.certain], [true, true]);
    }));

  it('reports the lost transactions, or none, when the master answers', () =>
    withPair((pair) => {
      pair.synced();
      const nothing = promote(pair, '--master', pair.master, '--patience', '20');
      assert.deepEqual([nothing.json.loss.possible, nothing.json.loss.transactions], [false, 0]);
      syncpozo(['demote', pair.slave, '--status-file', pair.statusFile]);
      syncpozo(['on', '--status-file', pair.statusFile]);
      pair.synced();
      pair.commit('lost', 'lost as well');
      const { loss } = promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '0').json;
      assert.deepEqual([loss.possible, loss.certain, loss.transactions], [true, true, 2]);
      assert.equal(loss.masterTid, formatTid(pair.site.lastTid));
    }));

  it('reports "may" when the master is gone', () =>
    withPair((pair) => {
      pair.synced();
      const { loss } = promote(pair, '--master', join(pair.directory, 'nowhere')).json;
      assert.deepEqual([loss.possible, loss.certain, loss.transactions], [true, false, null]);
    }));

  it('may be repeated, and run on a slave that serves already', () =>
    withPair(async (pair) => {
      pair.synced();
      const first = promote(pair).json;
      const again = promote(pair);
      assert.deepEqual([again.exit, again.json.promoted, again.json.already], [0, true, true]);
      assert.deepEqual(again.json.slave, first.slave);
      pair.commitToSlave('served since');
      const { stdout } = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile]);
      assert.match(stdout, /^when it was promoted, it ended at \d+ with/m);
      assert.equal(again.json.lastSync, first.lastSync);
      pair.commitToSlave('served from here');
      await heldByOther(pair, ' PID\n', (pid) => {
        const served = pair.unchanged(() => promote(pair));
        assert.deepEqual([served.exit, served.json.already, served.json.slave.lockedBy], [0, true, String(pid)]);
      });
    }));

  it('is refused while another program has the slave open', () =>
    withPair(async (pair) => {
      pair.synced();
      await heldByOther(pair, ' PID\n', () => {
        const run = pair.unchanged(() => promote(pair));
        assert.deepEqual([run.exit, run.json.promoted], [5, false]);
        assert.match(run.json.reason, /another program holds the slave's lock/);
      });
      assert.ok(!existsSync(pair.statusFile));
    }));

  it('is refused when the slave has no data to serve', () =>
    withPair((pair) => {
      const missing = promote(pair);
      assert.equal(missing.exit, 3);
      assert.match(missing.json.reason, /missing or empty/);
      for (const bytes of ['', 'FS', 'garbage that is no Data.fs', 'FS30 and then garbage that is none']) {
        writeFileSync(pair.slaveFile, bytes);
        const run = pair.unchanged(() => promote(pair));
        assert.deepEqual([run.exit, run.json.promoted], [3, false], run.all);
      }
    }));

  it('reports wrong arguments', () =>
    withPair((pair) => {
      const nowhere = syncpozo(['promote', join(pair.directory, 'nowhere'), '--status-file', pair.statusFile]);
      assertNoCrash(nowhere);
      assert.equal(nowhere.exit, 2);
      assert.match(nowhere.stderr, /does not exist\nhint: /);
      assert.ok(!existsSync(pair.statusFile), 'nothing was done to the switch either');
    }));
});

describe('the command for a loss', () => {
  it('starts once, with the facts in its environment, and promote does not wait for it', () =>
    withPair(async (pair) => {
      pair.synced();
      const out = join(pair.directory, 'loss');
      const command = `env | grep ^SYNCPOZO_ >>'${out}.new' && mv '${out}.new' '${out}' && sleep 600`;
      const run = promote(pair, '--on-loss', command);
      assert.ok(run.json.onLoss > 0);
      await eventually(() => existsSync(out));
      process.kill(-run.json.onLoss, 'SIGKILL');
      const output = readFileSync(out, 'utf8');
      for (const line of [
        `SYNCPOZO_SLAVE=${pair.slaveFile}`,
        `SYNCPOZO_LAST_TID=${run.json.slave.lastTid}`,
        'SYNCPOZO_LOSS=possible',
        'SYNCPOZO_LOST_TRANSACTIONS=',
      ])
        assert.ok(output.split('\n').includes(line), `${line} in:\n${output}`);
      rmSync(out);
      assert.equal(promote(pair, '--on-loss', command).json.onLoss, null);
      assert.ok(!existsSync(out));
    }));

  it('does not start when nothing is lost, nor for a slave that cannot be promoted', () =>
    withPair((pair) => {
      const marker = join(pair.directory, 'started');
      assert.equal(promote(pair, '--on-loss', `touch ${marker}`).json.onLoss, null);
      pair.synced();
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      pair.synced();
      assert.equal(
        promote(pair, '--master', pair.master, '--patience', '20', '--on-loss', `touch ${marker}`).json.onLoss,
        null,
      );
      assert.ok(!existsSync(marker));
    }));
});
