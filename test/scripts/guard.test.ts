import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GuardedHost } from './guarded-host.js';
import { alive, scratch } from './shell.js';
import { giveRole } from './zeo.js';

const STARTED = /^systemctl start .*heartbeat/;
const STOPPED = /^systemctl stop .*heartbeat/;

/** Most of a test is waiting for rounds of the guard. */
describe('the guard', { concurrency: 6 }, () => {
  test('a slave joins a cluster whose other host serves', async (t) => {
    const host = await GuardedHost.make(t);
    host.start();
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
    assert.equal(host.calls(/^zeo may-start/), 1);
    await host.rounds();
    assert.equal(host.calls(STARTED) + host.calls(STOPPED), 1);
    await host.says(/guarding main on m1; the other host is m2/);
  });

  test('heartbeat stays off while may-start refuses, which is said once, and starts when it does not', async (t) => {
    const host = await GuardedHost.make(t);
    giveRole(host.dataFs, 'master', 1);
    writeFileSync(join(host.state, 'refusal'), 'the other side is out of reach\n');
    host.start();
    await host.eventually('it is asked again', () => host.calls(/^zeo may-start/) > 2);
    await host.says(/heartbeat stays off/);
    assert.equal(host.output.match(/heartbeat stays off: the other side is out of reach/g)?.length, 1);
    assert.equal(host.calls(STARTED), 0);
    host.unset('refusal');
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
  });

  test('a slave waits at a boot for the other host, which is alive and does not serve yet', async (t) => {
    const host = await GuardedHost.make(t, { PEER_BOOT_SECONDS: 5 });
    host.unset('answers.192.0.2.10');
    host.start();
    await host.rounds(3);
    assert.equal(host.calls(STARTED), 0);
    await host.eventually('it starts without it', () => host.calls(STARTED) === 1);
  });

  test('a slave waits less long for a host that does not answer at all', async (t) => {
    const host = await GuardedHost.make(t, { PEER_SILENT_SECONDS: 2 });
    host.unset('answers.192.0.2.10', 'answers.peer');
    host.start();
    await host.eventually('it starts without it', () => host.calls(STARTED) === 1);
  });

  for (const role of ['superseded', 'rejoining', 'unreadable'] as const) {
    test(`a host that serves and becomes ${role}: address, heartbeat and ZEO go, and stay away until the rejoin`, async (t) => {
      const host = await GuardedHost.make(t);
      await host.serve();
      host.start();
      await host.rounds(2);
      assert.equal(host.calls(/./), 0);
      if (role === 'unreadable') writeFileSync(`${host.dataFs}.role`, 'syncpozo role 1\nrole mas');
      else giveRole(host.dataFs, role, 1);
      await host.eventually('ZEO is stopped', () => host.calls(/^zeo stop/) > 0);
      assert.ok(!host.has('address') && !host.has('heartbeat'));
      await host.says(new RegExp(`THIS HOST MUST NOT SERVE: .*Data\\.fs is ${role}`));
      host.endListening();
      await host.rounds();
      assert.equal(host.calls(STARTED) + host.calls(/^zeo (may-)?start/), 0);
      giveRole(host.dataFs, 'slave', 2);
      await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
    });
  }

  test('a ZEO that somebody has started by hand on a slave is stopped', async (t) => {
    const host = await GuardedHost.make(t);
    const lock = `${host.dataFs}.lock`;
    const server = spawn('bash', ['-c', `exec -a runzeo sleep 60 9>'${lock}'`]);
    t.after(() => server.kill('SIGKILL'));
    await host.eventually('the lock is there', () => existsSync(lock));
    writeFileSync(lock, ` ${server.pid}\n`);
    writeFileSync(join(host.run, 'unpromoted'), '');
    host.start();
    await host.rounds();
    assert.equal(host.calls(/^zeo stop/), 0, 'a takeover without syncpozo has left its note');
    rmSync(join(host.run, 'unpromoted'));
    await host.eventually('ZEO is stopped', () => host.calls(/^zeo stop/) > 0);
    await host.says(/ZEO RUNS ON A SLAVE, .*Data\.fs/);
  });

  test('a heartbeat that hangs on the standby is killed', async (t) => {
    const host = await GuardedHost.make(t, { HANG_SECONDS: 3, HANG_ASK_EVERY: 3 });
    host.start();
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
    host.set('hangs');
    await host.says(/heartbeat has not responded for 3 s, killing it/);
  });

  test('a side that was demoted to be taken back, and not promoted, is promoted where nobody serves', async (t) => {
    const host = await GuardedHost.make(t);
    host.set('unit', 'heartbeat');
    host.start();
    await host.rounds();
    assert.equal(host.calls(/^zeo may-start/), 0, 'the other host serves');
    giveRole(host.peer, 'slave', 2, true);
    await host.rounds();
    assert.equal(host.calls(/^zeo may-start/), 0, 'somebody has the address');
    host.unset('answers.192.0.2.10');
    await host.eventually('it is asked for', () => host.calls(/^zeo may-start/) > 0);
  });

  test("the fault of Debian's messages is noticed when an upgrade brings it back, once each time", async (t) => {
    const functions = join(scratch(t), 'shellfuncs');
    const host = await GuardedHost.make(t, { HEARTBEAT_FUNCTIONS: functions });
    const [faulty, corrected] = ['(echo ">>>"; cat -; echo "<<<")\t| cat - >> $HA_FIFO\n', 'ha_message=$(cat -)\n'];
    const said = (): number => host.output.match(/shellfuncs is that of Debian's package again/g)?.length ?? 0;
    writeFileSync(functions, faulty);
    host.start();
    await host.eventually('it says so', () => said() === 1);
    await host.says(/^guard: hint: .*scripts\/install\.sh" --host m1$/m);
    await host.rounds();
    assert.equal(said(), 1);
    writeFileSync(functions, corrected);
    await host.rounds();
    writeFileSync(functions, faulty);
    await host.eventually('it says so again', () => said() === 2);
  });

  test('one storage of several that was superseded is enough', async (t) => {
    const host = await GuardedHost.make(t, { storages: 'main catalog' });
    const other = join(host.dir, 'var', 'catalog.fs');
    writeFileSync(
      join(host.dir, 'settings'),
      `storage_catalog_data='${other}' storage_catalog_peer='${host.dir}/peer/catalog.fs'\n`,
      { flag: 'a' },
    );
    giveRole(other, 'superseded', 1);
    await host.serve();
    host.start();
    await host.eventually('all goes', () => host.calls(/^zeo stop/) > 0 && !host.has('address'));
    await host.says(/catalog\.fs is superseded/);
  });

  test('a host that is cut off from the router and the other host gives everything up, and joins again', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.unset('answers.peer');
    host.start();
    await host.rounds();
    assert.equal(host.calls(/./), 0, 'the router still answers');
    host.unset('answers.router');
    await host.eventually('ZEO is stopped', () => host.calls(/^zeo stop/) > 0);
    assert.ok(!host.has('address') && !host.has('heartbeat'));
    await host.says(/THIS HOST IS CUT OFF/);
    host.endListening();
    host.set('answers.router');
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
    assert.equal(host.calls(/^zeo may-start/), 1);
  });

  test('a start that failed: heartbeat goes off, so that the other host serves, and on again later', async (t) => {
    const host = await GuardedHost.make(t, { ASIDE_SECONDS: 6 });
    await host.serve();
    host.unset('address');
    host.start();
    const uptime = Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'utf8')));
    writeFileSync(join(host.run, 'failed'), `${uptime}\nthis host must not serve\n`);
    await host.eventually('heartbeat is stopped', () => host.calls(STOPPED) > 0);
    await host.says(/stepping aside for 6 s: this host must not serve/);
    assert.equal(host.calls(STARTED), 0);
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
  });

  test('a note of a failed start that is no number does not end the guard', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    writeFileSync(join(host.run, 'failed'), 'nonsense\n');
    host.start();
    await host.rounds(2);
    assert.equal(host.calls(STOPPED), 0);
  });

  test('heartbeat that was killed: its resources go first, then it is started again', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.start();
    await host.rounds(2);
    host.unset('unit', 'heartbeat');
    await host.eventually('ZEO is stopped', () => host.calls(/^zeo stop/) > 0);
    assert.ok(!host.has('address'));
    assert.equal(host.calls(STARTED), 0);
    host.endListening();
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
  });

  test('a heartbeat that only waits to execute itself again is ended, and started at once', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.unset('address', 'unit');
    host.set('starts');
    const waits = spawn('sleep', ['100'], { stdio: 'ignore' });
    t.after(() => waits.kill('SIGKILL'));
    waits.once('exit', () => host.unset('heartbeat'));
    writeFileSync(join(host.state, 'heartbeat'), `${waits.pid}\n`);
    host.start();
    await host.eventually('it ends', () => waits.signalCode === 'SIGKILL');
    await host.eventually('heartbeat starts', () => host.calls(STARTED) === 1);
  });

  test('a heartbeat that runs without its unit is ended by its process', async (t) => {
    const host = await GuardedHost.make(t);
    const stray = spawn('sleep', ['100'], { stdio: 'ignore' });
    t.after(() => stray.kill('SIGKILL'));
    writeFileSync(join(host.state, 'heartbeat'), `${stray.pid}\n`);
    giveRole(host.dataFs, 'superseded', 1);
    host.start();
    await host.eventually('it ends', () => stray.signalCode === 'SIGTERM' || !alive(stray.pid ?? 0));
  });

  test('a guard that is killed again and again on its way takes everything down all the same', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    giveRole(host.dataFs, 'superseded', 1);
    for (const wait of [20, 60, 90, 120, 150, 200]) {
      host.start();
      await new Promise((resolve) => setTimeout(resolve, wait));
      host.kill();
    }
    host.start();
    await host.eventually(
      'all goes',
      () => host.calls(/^zeo stop/) > 0 && !host.has('address') && !host.has('heartbeat'),
    );
    assert.equal(host.calls(STARTED), 0);
  });
});
