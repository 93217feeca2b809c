import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { venvProgram } from '../support/venv.js';
import { alive, eventually, kill, processesNaming, type Result, run, scripts, writeScript } from './shell.js';
import {
  asSync,
  commit,
  commitBlob,
  giveRole,
  holderProgram,
  holdLock,
  type Instance,
  lockedBy,
  lockIsFree,
  makeInstance,
  portListens,
  roleOf,
  served,
  servedBlob,
  traceControl,
  writeZeoConf,
} from './zeo.js';

/** A slave with one transaction, switched on, and the real syncpozo as its command. */
async function makeSlave(t: TestContext): Promise<Instance> {
  const slave = await makeInstance(t);
  await commit(slave.dataFs, 5);
  giveRole(slave.dataFs, 'slave');
  writeFileSync(slave.status, 'SYNCING=1\n');
  return slave;
}

test('the takeover: switched off first, then ZEO serves; stop leaves the switch off', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  assert.equal((await slave.zeo('status')).stdout, 'stopped\n');
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /Data\.fs is promoted: .*\n.*it ends at \d+ with transaction/);
  assert.doesNotMatch(start.stderr, /has failed/);
  assert.equal(trace(), 'SYNCING=0 lock=free\n');
  assert.equal(await served(slave.port), 5);
  assert.equal((await slave.zeo('status')).stdout, 'running\n');

  // A ZEO that was started by hand on a slave is no server of the cluster: a takeover ends it, and promotes.
  writeFileSync(slave.status, 'SYNCING=1\n');
  giveRole(slave.dataFs, 'slave');
  assert.equal((await slave.zeo('status')).stdout, 'stopped\n');
  const again = await slave.zeo('start');
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stderr, /started ZEO on a slave by hand/);
  assert.equal(roleOf(slave.dataFs), 'master');
  assert.equal(readFileSync(slave.status, 'utf8'), 'SYNCING=0\n');
  assert.equal((await slave.zeo('status')).stdout, 'running\n');

  assert.equal((await slave.zeo('stop')).status, 0);
  assert.equal((await slave.zeo('stop')).status, 0);
  assert.ok(!(await portListens(slave.port)));
  assert.equal(readFileSync(slave.status, 'utf8'), 'SYNCING=0\n');
});

test('cron syncs blobs, and ZEO serves them after the takeover', async (t) => {
  const slave = await makeInstance(t);
  const master = join(slave.dir, 'peer', 'var');
  const blobs = { master: join(slave.dir, 'peer', 'blobs'), slave: join(slave.dir, 'blobs') };
  mkdirSync(blobs.master);
  writeZeoConf(slave.dir, slave.port, { blobs: blobs.slave });
  slave.configure({ storages: { main: { master, slave: join(slave.dir, 'var'), blobs } } });
  const cron = async (): Promise<void> => {
    writeFileSync(slave.env['SYNCPOZO_DEFAULTS'] ?? '', '');
    const env = { ...slave.env, SYNCPOZO_LOG: join(slave.dir, 'log') };
    const { status, stderr } = await run(join(scripts, 'syncData.sh'), [], { env });
    assert.deepEqual([status, stderr], [0, '']);
  };
  for (const name of ['first', 'second']) {
    await commitBlob(slave.peer, blobs.master, name, `the ${name} blob`);
    await cron();
  }
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /promote main: 2 blobs in .*; newest ones checked: 1/);
  for (const name of ['first', 'second'])
    assert.equal(await servedBlob(slave.port, join(slave.dir, 'cache'), name), `the ${name} blob`);
  assert.equal((await slave.zeo('stop')).status, 0);
});

test('a running sync ends before ZEO starts', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  const sync = await holdLock(t, slave.lock, { content: asSync });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.ok(!alive(sync.pid));
  assert.equal(sync.process.signalCode, 'SIGTERM');
  assert.equal(trace(), 'SYNCING=0 lock=free\n');
  assert.equal(await served(slave.port), 5);
});

test('a sync that does not end on SIGTERM is killed', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  const sync = await holdLock(t, slave.lock, { content: asSync, ignoresTerm: true });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, new RegExp(`process ${sync.pid}\\): it did not end when asked to, and was killed`));
  assert.ok(!alive(sync.pid));
  assert.equal(trace(), 'SYNCING=0 lock=free\n');
});

test('a sync that takes the lock during the start of ZEO is ended as well', async (t) => {
  const slave = await makeSlave(t);
  const program = join(slave.dir, 'late.py');
  writeFileSync(program, holderProgram);
  const marker = join(slave.dir, 'late');
  traceControl(
    slave,
    `'${venvProgram('python')}' '${program}' '${slave.lock}' '${asSync}' no >'${marker}' 2>&1 &
  until grep -q held '${marker}'; do sleep 0.05; done`,
  );
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /ending process \d+: .*late\.py/);
  assert.deepEqual(processesNaming(program), []);
  assert.equal(await served(slave.port), 5);
});

test('a lock held by anything else: ZEO does not start, and the holder is left alone', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  const stranger = await holdLock(t, slave.lock, { content: '{pid}' });
  const start = await slave.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, new RegExp(`held by process ${stranger.pid}`));
  assert.ok(alive(stranger.pid));
  assert.equal(trace(), '');
  assert.equal(readFileSync(slave.status, 'utf8'), 'SYNCING=0\n');
});

test('an unrelated process whose id is in the lock file never gets a signal', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  const other = join(slave.dir, 'other.lock');
  const innocent = await holdLock(t, other, { content: '{pid}' });

  // A third process, which nothing names, holds the lock: no start.
  const stranger = await holdLock(t, slave.lock, { content: `${innocent.pid} syncpozo {hostname}` });
  const refused = await slave.zeo('start');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /held by an unknown process/);
  assert.ok(alive(innocent.pid) && alive(stranger.pid));
  assert.equal(trace(), '');

  // The lock is free, so the line is a dead sync's: the start ignores it.
  stranger.process.kill('SIGKILL');
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.ok(alive(innocent.pid));
});

for (const [what, bodyFor] of [
  ['fails', () => 'exit 1'],
  ['reports success without writing', () => 'exit 0'],
  ['writes something else', ({ status }: Instance) => `echo SYNCING=1 >'${status}'`],
] as const) {
  test(`a syncpozo command that ${what} does not prevent the takeover`, async (t) => {
    const slave = await makeSlave(t);
    const trace = traceControl(slave);
    slave.set({ SYNCPOZO: writeScript(join(slave.dir, 'bin', 'broken'), bodyFor(slave)) });
    const start = await slave.zeo('start');
    assert.equal(start.status, 0, start.stderr);
    if (what === 'fails') assert.match(start.stderr, /broken promote has failed with status 1, taking over without it/);
    assert.equal(trace(), 'SYNCING=0 lock=free\n');
    assert.equal(readFileSync(slave.status, 'utf8'), 'SYNCING=0\n');
    // The syncing user can read what root wrote.
    assert.equal(statSync(slave.status).mode & 0o777, 0o644);
    assert.equal(await served(slave.port), 5);
  });
}

test('what was committed without a promotion is kept by the promotion, once syncpozo works', async (t) => {
  const slave = await makeSlave(t);
  slave.set({ SYNCPOZO: writeScript(join(slave.dir, 'bin', 'broken'), 'exit 1') });
  assert.equal((await slave.zeo('start')).status, 0);
  assert.ok(existsSync(`${slave.dataFs}.unpromoted`), 'the other host can see it');
  assert.equal((await slave.zeo('stop')).status, 0);
  await commit(slave.dataFs, 6);
  slave.set({ SYNCPOZO: join(slave.dir, 'bin', 'syncpozo') });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.equal(roleOf(slave.dataFs), 'master');
  assert.equal(await served(slave.port), 6);
  assert.ok(!existsSync(`${slave.dataFs}.unpromoted`));
});

test('a status file that cannot be written: the slave serves, and its role blocks syncs', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  const status = join(slave.dir, 'missing', 'syncPozo.status');
  slave.set({ status_file: status });
  slave.configure({ 'status-file': status });
  const sync = await holdLock(t, slave.lock, { content: asSync });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /cannot set SYNCING=0 in .*missing.*the slave is promoted, so no sync writes to it/);
  assert.ok(!alive(sync.pid));
  assert.match(trace(), /lock=free/);
  assert.equal(await served(slave.port), 5);
  assert.equal((await slave.zeo('stop')).status, 0);

  await commit(slave.peer, 3);
  const before = readFileSync(slave.dataFs);
  const later = await run(join(slave.dir, 'bin', 'syncpozo'), ['sync', 'main'], { env: slave.env });
  assert.match(later.stdout + later.stderr, /promoted/);
  assert.ok(readFileSync(slave.dataFs).equals(before));
});

test('nothing changes when neither the role nor the status file can be written', async (t) => {
  const slave = await makeSlave(t);
  const trace = traceControl(slave);
  slave.set({
    SYNCPOZO: writeScript(join(slave.dir, 'bin', 'broken'), 'exit 1'),
    status_file: join(slave.dir, 'missing', 'syncPozo.status'),
  });
  const sync = await holdLock(t, slave.lock, { content: asSync });
  const start = await slave.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, /cannot set SYNCING=0 in .*not promoted; not starting ZEO/);
  assert.ok(alive(sync.pid));
  assert.equal(trace(), '');
});

test('a slave that was never filled is not served', async (t) => {
  const slave = await makeInstance(t);
  giveRole(slave.dataFs, 'slave');
  rmSync(slave.dataFs);
  const start = await slave.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, /missing or empty/);
  assert.ok(!existsSync(slave.dataFs));
});

test('stop leaves a running sync and the switch alone', async (t) => {
  const slave = await makeSlave(t);
  const sync = await holdLock(t, slave.lock, { content: asSync });
  const status = await slave.zeo('status');
  assert.deepEqual([status.status, status.stdout], [3, 'stopped\n']);
  const stop = await slave.zeo('stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.ok(alive(sync.pid));
  assert.equal(readFileSync(slave.status, 'utf8'), 'SYNCING=1\n');
});

test('control: a ZEO that does not listen on its port fails the takeover', async (t) => {
  const slave = await makeSlave(t);
  slave.set({ zeo_port: slave.port === 65_535 ? 1024 : slave.port + 1, zeo_start_wait: 3 });
  const start = await slave.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, /ZEO does not listen on port/);
  assert.equal((await slave.zeo('stop')).status, 0);
  assert.ok(await lockIsFree(slave.lock));
});

test('the script finds its other parts when called through a symbolic link in resource.d', async (t) => {
  const slave = await makeSlave(t);
  const link = join(slave.dir, 'resource.d-zeo');
  symlinkSync(join(scripts, 'cluster', 'zeo'), link);
  const status = await run(link, ['status'], { env: slave.env });
  assert.deepEqual([status.status, status.stdout], [3, 'stopped\n']);
});

test('the real syncpozo, stopped in mid-append: killed, and ZEO serves complete transactions', async (t) => {
  const slave = await makeSlave(t);
  copyFileSync(slave.dataFs, slave.peer);
  const sync = (): Promise<Result> => run(join(slave.dir, 'bin', 'syncpozo'), ['sync', 'main'], { env: slave.env });
  const adopted = await sync();
  assert.equal(adopted.status, 0, adopted.stderr);

  for (const n of [6, 7, 8, 9]) await commit(slave.peer, n, 32 << 20);
  const before = statSync(slave.dataFs).size;
  const running = sync();
  await eventually('the sync has begun to write', () => statSync(slave.dataFs).size > before);
  const pid = lockedBy(slave.lock);
  kill(pid, 'SIGSTOP');
  assert.ok(alive(pid) && !(await lockIsFree(slave.lock)), 'the sync was too quick to be stopped on its way');

  const trace = traceControl(slave);
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, new RegExp(`process ${pid}\\): it did not end when asked to, and was killed`));
  assert.notEqual((await running).status, 0);
  assert.equal(trace(), 'SYNCING=0 lock=free\n');
  assert.ok([5, 6, 7, 8, 9].includes(await served(slave.port)));

  // Protected twice: by the switch, and, without it, as after a reboot, by the role.
  for (const reason of [/SYNCING=0|statusFile/, /has been promoted/]) {
    const off = await sync();
    assert.equal(off.status, 0, off.stderr);
    assert.match(off.stderr, /NOT SYNCING FROM MASTER/);
    assert.match(off.stderr, reason);
    writeFileSync(slave.status, 'SYNCING=1\n');
  }
});

test('a possible loss is reported, and its hook starts with the facts', async (t) => {
  const slave = await makeSlave(t);
  const output = join(slave.dir, 'loss');
  const hook = writeScript(join(slave.dir, 'bin', 'on-loss'), `cat >'${output}'`);
  slave.configure({ hooks: { loss: [hook] } });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /MAY BE LOST: the master is out of reach/);
  assert.match(start.stderr, /restart every ZEO client without its cache file/);
  await eventually('the hook has run', () => existsSync(output) && readFileSync(output, 'utf8').includes(slave.dataFs));
});

test('a damaged slave is served up to the damage, and the start reports it', async (t) => {
  const slave = await makeSlave(t);
  writeFileSync(slave.dataFs, 'no transaction at all '.repeat(20), { flag: 'a' });
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /Data\.fs is damaged at the place named above/);
  assert.equal(await served(slave.port), 5);
});
