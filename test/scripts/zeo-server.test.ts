import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { alive, kill, processesNaming, run, scripts, writeScript } from './shell.js';
import {
  commit,
  freePort,
  giveRole,
  holdLock,
  type Instance,
  lockedBy,
  lockIsFree,
  makeInstance,
  portListens,
  served,
  writeZeoConf,
} from './zeo.js';

// In a network namespace of its own; two calls, by its own name and as a resource of heartbeat.
test('as a resource of heartbeat, a start puts the address there, and no other start does', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 7);
  master.set({ cluster_address: '192.0.2.10/24', cluster_interface: 'eth0' });
  mkdirSync(join(master.dir, 'resource.d'));
  const link = join(master.dir, 'resource.d', 'zeo');
  symlinkSync(join(scripts, 'cluster', 'zeo'), link);
  const network =
    'ip link set lo up && ip link add eth0 type veth peer name other && ip link set eth0 up && ip link set other up';
  const calls = `zeo=$(readlink -f '${link}'); "$zeo" start; ip -o address show to 192.0.2.10 | grep -c . ; "$zeo" stop
    '${link}' start; ip -o address show to 192.0.2.10; '${link}' stop`;
  const { stdout, stderr } = await run('unshare', ['-n', 'sh', '-c', `${network}\n${calls}`], { env: master.env });
  assert.match(stdout, /^0\n.*inet 192\.0\.2\.10\/24 brd 192\.0\.2\.255/s, stderr);
});

/** A host whose file was never a slave, with a slave on the other side. */
async function makeServing(t: TestContext): Promise<Instance> {
  const instance = await makeInstance(t);
  giveRole(instance.peer, 'slave');
  return instance;
}

test('start, status and stop of a real ZEO, each of them twice, and once more', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 7);

  const before = await master.zeo('status');
  assert.deepEqual([before.status, before.stdout], [3, 'stopped\n']);

  assert.equal((await master.zeo('start')).status, 0);
  assert.ok(await portListens(master.port), 'start has returned before ZEO listens');
  assert.equal(await served(master.port), 7);
  const pid = lockedBy(master.lock);
  const again = await master.zeo('start');
  assert.equal(again.status, 0, again.stderr);
  assert.equal(lockedBy(master.lock), pid, 'the second start has started another ZEO');
  const running = await master.zeo('status');
  assert.deepEqual([running.status, running.stdout], [0, 'running\n']);

  const stop = await master.zeo('stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.ok(!alive(pid), 'stop has returned before ZEO has ended');
  assert.ok(!(await portListens(master.port)));
  assert.ok(await lockIsFree(master.lock));
  assert.equal((await master.zeo('stop')).status, 0);
  const stopped = await master.zeo('status');
  assert.deepEqual([stopped.status, stopped.stdout], [3, 'stopped\n']);

  const third = await master.zeo('start');
  assert.equal(third.status, 0, third.stderr);
  assert.equal(await served(master.port), 7);
});

test('control: a ZEO that listens on another port fails the start, and stop ends it all the same', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  const other = await freePort();
  writeZeoConf(master.dir, other);
  master.set({ zeo_start_wait: 8 });
  const start = await master.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, new RegExp(`does not listen on port ${master.port} after 8 s`));
  assert.equal((await master.zeo('status')).stdout, 'stopped\n');

  const stop = await master.zeo('stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.ok(!(await portListens(other)));
  assert.ok(await lockIsFree(master.lock));
});

test('control: another program on the port is not mistaken for ZEO', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  const stranger = createServer().listen(master.port, '127.0.0.1');
  t.after(() => stranger.close());
  assert.equal((await master.zeo('status')).stdout, 'stopped\n');
  master.set({ zeo_start_wait: 3 });
  assert.equal((await master.zeo('start')).status, 1);
});

test('a control command that fails is reported with its exit status', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  master.set({ zeo_control: writeScript(join(master.dir, 'bin', 'broken'), 'exit 9') });
  const start = await master.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, /broken start ended with exit status 9/);
});

test('a missing or empty Data.fs is never served as an empty database', async (t) => {
  const master = await makeServing(t);
  for (const make of [() => {}, () => writeFileSync(master.dataFs, '')]) {
    make();
    const start = await master.zeo('start');
    assert.equal(start.status, 1);
    assert.match(start.stderr, /missing or empty; ZEO would serve an empty database/);
    assert.ok(!(await portListens(master.port)));
  }
  assert.equal(statSync(master.dataFs).size, 0);
});

test('data in use by another program: start fails, names it and leaves it alone', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  const stranger = await holdLock(t, master.lock, { content: '{pid}' });
  const start = await master.zeo('start');
  assert.equal(start.status, 1);
  assert.match(start.stderr, new RegExp(`held by process ${stranger.pid}: .*python`));
  assert.ok(alive(stranger.pid));
  assert.ok(!(await portListens(master.port)));
});

test('another program on the port: start and stop name it', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(master.port, '127.0.0.1', resolve));
  t.after(() => stranger.close());
  master.set({ zeo_stop_wait: 1, zeo_control: writeScript(join(master.dir, 'bin', 'fails'), 'exit 1') });
  for (const verb of ['start', 'stop']) {
    const done = await master.zeo(verb);
    assert.equal(done.status, 1);
    assert.match(
      done.stderr,
      new RegExp(`port ${master.port} is in use by another program: "\\S+",pid=${process.pid}\n.*hint: `),
    );
  }
});

test('a control script that hangs and ignores TERM holds up no stop', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  const hangs = writeScript(join(master.dir, 'bin', 'hangs'), `trap '' TERM; while :; do sleep 0.2; done`);
  master.set({ zeo_stop_wait: 1, zeo_control: hangs });
  const stop = await master.zeo('stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.deepEqual(processesNaming(hangs), []);
});

test('a start needs no file in /run, which may be full or read-only', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 5);
  // Nothing can be created there.
  const env = { ...master.env, SYNCPOZO_RUN: '/proc/tty' };
  const start = await run(join(scripts, 'cluster', 'zeo'), ['start'], { env });
  assert.equal(start.status, 0, start.stderr);
  assert.equal(await served(master.port), 5);
  assert.equal((await master.zeo('stop')).status, 0);
});

test('stop ends a ZEO whose daemon manager was killed', async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  assert.equal((await master.zeo('start')).status, 0);
  const pid = lockedBy(master.lock);
  const managers = processesNaming(join(master.dir, 'bin', 'runzeo')).filter((manager) => manager !== pid);
  assert.equal(managers.length, 1);
  for (const manager of managers) kill(manager);
  assert.equal((await master.zeo('status')).stdout, 'running\n');
  const stop = await master.zeo('stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.ok(!alive(pid));
  assert.ok(await lockIsFree(master.lock));
});

test('status and stop write nothing beside the data', async (t) => {
  const master = await makeServing(t);
  await master.zeo('status');
  assert.equal((await master.zeo('stop')).status, 0);
  // A lock file that root created here would keep ZEO's own user from starting it.
  assert.deepEqual(readdirSync(join(master.dir, 'var')), []);
});

test('wrong settings and wrong verbs are reported, and never look like a running ZEO', async (t) => {
  const master = await makeServing(t);
  const verb = await master.zeo('restart');
  assert.equal(verb.status, 2);
  assert.match(verb.stderr, /usage: zeo start\|stop\|status\|may-start/);

  master.set({ zeo_control: '' });
  const start = await master.zeo('start');
  assert.equal(start.status, 6);
  assert.match(start.stderr, /name no storage, or no control program of ZEO/);
  const status = await master.zeo('status');
  assert.equal(status.status, 6);
  assert.doesNotMatch(status.stdout, /[Rr]unning|OK/);

  master.set({ zeo_port: 'eight' });
  assert.match((await master.zeo('start')).stderr, /not a number in the settings: 'eight'/);
  assert.ok(!existsSync(master.lock));
});

const notRoot = process.getuid?.() === 0 ? false : 'not run: only root can start ZEO as another user';

test('the control script runs as zeo_user', { skip: notRoot }, async (t) => {
  const master = await makeServing(t);
  await commit(master.dataFs, 1);
  chmodSync(master.dir, 0o777);
  master.set({
    zeo_control: writeScript(join(master.dir, 'bin', 'who'), `id -un >'${master.dir}/who'; exit 9`),
    zeo_user: 'nobody',
  });
  assert.equal((await master.zeo('start')).status, 1);
  assert.equal(readFileSync(join(master.dir, 'who'), 'utf8'), 'nobody\n');
});
