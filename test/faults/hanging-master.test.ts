import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hasOpen, isDying } from '../../src/io/dying.js';
import { Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type Mount, needsFuse, withMount } from '../support/hanging-mount.js';
import type { Pair } from '../support/pair.js';

function syncArgs(pair: Pair, mount: Mount): string[] {
  return ['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile];
}

/** The process id of a sync that holds the slave's lock and hangs in a read of the master. */
async function hangingSync(pair: Pair, mount: Mount): Promise<{ readonly pid: string; readonly running: Running }> {
  const lock = `${pair.slaveFile}.lock`;
  assert.equal(syncpozo(syncArgs(pair, mount)).exit, 0);
  mount.hangBeyond(pair.site.committedEnd);
  pair.commit('never seen by the slave', 'nor this');
  const before = readFileSync(lock, 'utf8');
  const running = Running.start(syncArgs(pair, mount));
  await eventually('another sync has the lock', () => readFileSync(lock, 'utf8') !== before);
  const pid = readFileSync(lock, 'utf8').trim().split(' ')[0] ?? '';
  const readsMaster = () => threadCalls(pid).some((call) => call.startsWith(process.arch === 'x64' ? '17 ' : '67 '));
  await eventually('the sync hangs in a read', () => readsMaster() && mount.holdsARead);
  return { pid, running };
}

function threadCalls(pid: string): string[] {
  const found = spawnSync('sh', ['-c', `cat /proc/${pid}/task/*/syscall`], { encoding: 'utf8' });
  return found.stdout.split('\n');
}

describe('a sync that hangs in a read of the dead master, beyond SIGKILL', { skip: needsFuse ?? false }, () => {
  it('does not delay a promotion, which passes the lock to the next process', () =>
    withMount(async (pair, mount) => {
      const { pid, running } = await hangingSync(pair, mount);
      const lock = `${pair.slaveFile}.lock`;
      const held = statSync(lock).ino;
      const bytes = readFileSync(pair.slaveFile);

      // A stopped process cannot release the lock by itself, and its remains hang after the SIGKILL.
      process.kill(Number(pid), 'SIGSTOP');
      const run = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile, '--json', '--grace', '0.3']);
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(run.json.sync, { pid, how: 'left hanging' });
      assert.equal(run.json.loss.possible, true);
      assert.deepEqual(readFileSync(pair.slaveFile), bytes);

      assert.equal(isDying(pid), true, 'it still hangs');
      assert.notEqual(statSync(lock).ino, held);
      assert.equal(hasOpen(pid, lock), false);
      const free = spawnSync('flock', ['-n', lock, 'true']);
      assert.equal(free.status, 0, 'a server could take the lock');

      // The mount comes back in its way: the process ends, and has written nothing.
      const tid = pair.commitToSlave('served from here');
      const served = readFileSync(pair.slaveFile);
      await mount.end();
      const end = await running.end();
      assert.equal(end.signal, 'SIGKILL', end.all);
      assert.deepEqual(readFileSync(pair.slaveFile), served);
      assert.ok(tid > 0n);
    }));

  it('releases the lock on SIGTERM, although its thread hangs', () =>
    withMount(async (pair, mount) => {
      const { pid, running } = await hangingSync(pair, mount);
      const run = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile, '--json']);
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(run.json.sync, { pid, how: 'ended' });
      await mount.end();
      await running.end();
    }));

  it('keeps no other storage of the configuration from being synced', () =>
    withMount(async (pair, mount) => {
      const [master, slave, path] = ['second', 'standby', 'syncpozo.yml'].map((name) => join(pair.directory, name));
      for (const directory of [master!, slave!]) mkdirSync(directory);
      const lines = [
        'storages:',
        `  hangs: { master: ${mount.point}, slave: ${pair.slave}, timeout: 1s }`,
        `  second: { master: ${master}, slave: ${slave} }`,
        `status-file: ${pair.statusFile}`,
      ];
      writeFileSync(path!, `${lines.join('\n')}\n`);
      copyFileSync(pair.masterFile, join(master!, 'Data.fs'));
      const args = ['sync', '--config', path!, '--json'];
      assert.equal(syncpozo(args).exit, 0);
      mount.hangBeyond(pair.site.committedEnd);
      pair.commit('never seen by the slave', 'nor this');
      copyFileSync(pair.masterFile, join(master!, 'Data.fs'));
      const running = Running.start(args);
      const there = (): boolean => readFileSync(join(slave!, 'Data.fs')).equals(readFileSync(pair.masterFile));
      await eventually('the second storage is in step', there);
      // The process stays in the kernel until the mount answers, but has reported before.
      await eventually('it has reported', () => running.printed.endsWith('}\n'));
      await mount.end();
      const { json } = await running.end();
      const { hangs, second } = json.storages;
      assert.deepEqual([json.exitCode, hangs.exitCode, second.exitCode], [1, 1, 0], running.printed);
      assert.match(hangs.reason, /no progress for 1 s/);
      assert.equal(second.action, 'append');
    }));

  it('nor does a promotion wait when it asks the hanging master for the loss', () =>
    withMount(async (pair, mount) => {
      assert.equal(syncpozo(syncArgs(pair, mount)).exit, 0);
      mount.hangBeyond(0);
      const args = ['promote', pair.slave, '--status-file', pair.statusFile, '--json', '--master', mount.point];
      const run = syncpozo(args);
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(
        [run.json.loss.possible, run.json.loss.certain, run.json.loss.transactions],
        [true, false, null],
      );
      assert.match(run.json.loss.why, /out of reach/);
    }));
});
