import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeScript } from './shell.js';
import { commit, giveRole, type Instance, makeInstance, portListens, roleOf, served } from './zeo.js';

/** A host with one transaction in each of its storages. The other host is out of reach. */
async function makeHost(t: TestContext, others: readonly string[] = []): Promise<Instance> {
  const host = await makeInstance(t, others);
  for (const name of ['main', ...others]) await commit(host.file(name), 5);
  writeFileSync(host.status, 'SYNCING=1\n');
  return host;
}

async function refused(host: Instance, reason: RegExp): Promise<void> {
  for (const verb of ['may-start', 'start']) {
    const result = await host.zeo(verb);
    assert.equal(result.status, 3, result.stderr);
    assert.match(result.stderr, reason);
  }
  assert.ok(!(await portListens(host.port)));
}

for (const role of ['superseded', 'rejoining'] as const) {
  test(`a side that is ${role} is never served, and the guard gets word of it`, async (t) => {
    const host = await makeHost(t);
    giveRole(host.dataFs, role, 1);
    giveRole(host.peer, 'slave', 1);
    await refused(host, /refused: .*\n.*hint: 'syncpozo rejoin main --yes'/);
    assert.match(readFileSync(join(host.run, 'failed'), 'utf8'), /^\d+\n\S.*\n$/);
    assert.equal(roleOf(host.dataFs), role);
    assert.equal(readFileSync(host.status, 'utf8'), 'SYNCING=1\n');
  });
}

test('a role file that was cut off, or whose checksum is wrong, refuses', async (t) => {
  const host = await makeHost(t);
  giveRole(host.peer, 'slave', 1);
  writeFileSync(`${host.dataFs}.role`, 'syncpozo role 1\nrole slave\nterm 0\n');
  await refused(host, /Data\.fs\.role cannot be read/);
  writeFileSync(`${host.dataFs}.role`, 'syncpozo role 1\nrole slave\nterm 0\nend 0123456789abcdef\n');
  const start = await host.zeo('start');
  assert.equal(start.status, 3, start.stderr);
  assert.match(start.stderr, /its checksum is wrong/);
});

test('a side that was promoted starts where the other one is a slave, and may-start says so before', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 1);
  giveRole(host.peer, 'slave', 1);
  assert.equal((await host.zeo('may-start')).status, 0);
  assert.ok(!(await portListens(host.port)));
  assert.equal((await host.zeo('start')).status, 0);
  assert.equal(await served(host.port), 5);
  assert.equal((await host.zeo('may-start')).status, 0);
  assert.equal((await host.zeo('stop')).status, 0);
});

test('a side that the other one has superseded is marked, and refuses from then on', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 1);
  giveRole(host.peer, 'master', 2);
  await refused(host, /this side was superseded|was superseded: the other host has served/);
  assert.equal(roleOf(host.dataFs), 'superseded');
});

for (const verb of ['may-start', 'start']) {
  test(`a side that the watch marks while ${verb} asks the other one is not served`, async (t) => {
    const host = await makeHost(t);
    giveRole(host.dataFs, 'superseded', 1);
    const marked = join(host.dir, 'marked');
    copyFileSync(`${host.dataFs}.role`, marked);
    giveRole(host.dataFs, 'master', 1);
    giveRole(host.peer, 'slave', 1);
    // A read of the other side that was slow: its answer is that of the time before the mark.
    const slow = `case $1 in may-serve) syncpozo "$@"; answer=$?; mv '${marked}' '${host.dataFs}.role'; exit "$answer" ;; esac
exec syncpozo "$@"`;
    const real = join(host.dir, 'bin', 'syncpozo');
    host.set({ SYNCPOZO: writeScript(join(host.dir, 'bin', 'slow'), slow.replaceAll('syncpozo "', `'${real}' "`)) });
    const result = await host.zeo(verb);
    assert.equal(result.status, 3, result.stderr);
    assert.match(result.stderr, /refused: .*Data\.fs was superseded/);
    assert.ok(!existsSync(marked) && !(await portListens(host.port)));
    assert.ok(!existsSync(join(host.dir, 'zeo.log')), 'no ZEO was started');
  });
}

test('the other side out of reach after a crash: no, unless a person says that it does not serve', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 1);
  // The last server was killed: there is no index.
  writeFileSync(host.lock, '1 somewhere\n');
  host.set({ PEER_WAIT: 2 });
  await refused(host, /the other side is out of reach.*\n(.*\n)*.*hint: if you know .*: touch .*\/run\/force/);
  writeFileSync(join(host.run, 'force'), '');
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.equal(await served(host.port), 5);
  assert.ok(!existsSync(join(host.run, 'force')), 'it counts once');
  assert.ok(!existsSync(join(host.run, 'failed')));
});

test('a ZEO that was stopped beside a living host does not serve alone again, unless a person says so', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 1);
  giveRole(host.peer, 'slave', 1);
  const note = join(host.dir, 'handed-over');
  const bin = join(host.dir, 'bin');
  writeScript(join(bin, 'ping'), `[ -e '${host.dir}/peer-lives' ]`);
  host.set({ PATH: `${bin}:${process.env['PATH']}`, peer_address: '192.0.2.2', PEER_WAIT: 1 });
  const there = join(host.dir, 'peer');
  const setAlive = (alive: boolean): void => {
    if (alive) writeFileSync(join(host.dir, 'peer-lives'), '');
    else rmSync(join(host.dir, 'peer-lives'), { force: true });
  };

  setAlive(true);
  assert.equal((await host.zeo('start')).status, 0);
  assert.equal((await host.zeo('stop')).status, 0);
  assert.ok(existsSync(note));
  // It takes over, commits, and dies, before this side has heard of that.
  setAlive(false);
  renameSync(there, `${there}.away`);
  await refused(host, /does not answer. It was alive when ZEO was stopped here, at .*and may have served since/);
  assert.ok(existsSync(note));
  writeFileSync(join(host.run, 'force'), '');
  assert.equal((await host.zeo('start')).status, 0);
  assert.ok(!existsSync(note));

  // The control: a host that is down already takes nothing over.
  assert.equal((await host.zeo('stop')).status, 0);
  assert.ok(!existsSync(note));
  assert.equal((await host.zeo('start')).status, 0);
});

test('a side whose peer has served without a promotion refuses, until that is promoted or has another role', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 1);
  giveRole(host.peer, 'slave', 1);
  const [role, note] = [`${host.peer}.role`, `${host.peer}.unpromoted`];
  writeFileSync(note, '');
  utimesSync(note, 2000, 2000);
  utimesSync(role, 1000, 1000);
  await refused(host, /has served without a promotion.*\n.*hint: repair syncpozo on/);
  assert.equal(roleOf(host.dataFs), 'master');
  utimesSync(role, 3000, 3000);
  assert.equal((await host.zeo('may-start')).status, 0);
  assert.equal((await host.zeo('start')).status, 0);
  assert.equal(await served(host.port), 5);
  assert.ok(!existsSync(`${host.dataFs}.unpromoted`));
});

test('without syncpozo, the terms of both role files decide', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'master', 3);
  host.set({ SYNCPOZO: join(host.dir, 'nowhere'), PEER_WAIT: 1 });
  for (const [role, term] of [
    ['master', 4],
    ['slave', 4],
    ['master', 3],
  ] as const) {
    giveRole(host.peer, role, term);
    await refused(host, new RegExp(`its term is 3; the other side is ${role}, in term ${term}`));
  }
  giveRole(host.peer, 'slave', 3);
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /zeo: serving on port/);
});

test('all storages are promoted, and served', async (t) => {
  const host = await makeHost(t, ['catalog']);
  for (const name of ['main', 'catalog']) giveRole(host.file(name), 'slave', 1);
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.deepEqual([roleOf(host.dataFs), roleOf(host.file('catalog'))], ['master', 'master']);
  assert.equal(await served(host.port), 5);
});

test('after a kill between two promotions the next start does the rest', async (t) => {
  const host = await makeHost(t, ['catalog']);
  for (const name of ['main', 'catalog']) giveRole(host.file(name), 'slave', 1);
  host.set({ storages: 'main' });
  host.set({ zeo_control: '/bin/false' });
  assert.equal((await host.zeo('start')).status, 1);
  assert.deepEqual([roleOf(host.dataFs), roleOf(host.file('catalog'))], ['master', 'slave']);
  host.set({ storages: 'main catalog', zeo_control: join(host.dir, 'bin', 'zeoctl') });
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.equal(roleOf(host.file('catalog')), 'master');
  assert.equal(await served(host.port), 5);
});

test('a storage that must not be served keeps the others from being promoted', async (t) => {
  const host = await makeHost(t, ['catalog']);
  giveRole(host.dataFs, 'slave', 1);
  // This side of it has not been rejoined yet, and does not know that it was superseded.
  giveRole(host.file('catalog'), 'master', 1);
  giveRole(host.peerFile('catalog'), 'master', 2);
  await refused(host, /superseded/);
  assert.deepEqual([roleOf(host.dataFs), roleOf(host.file('catalog'))], ['slave', 'superseded']);
});

test('one storage that cannot be promoted makes slaves of all again, and the syncs go on', async (t) => {
  const host = await makeHost(t, ['catalog']);
  giveRole(host.dataFs, 'slave', 1);
  giveRole(host.file('catalog'), 'slave', 1);
  writeFileSync(host.file('catalog'), 'this is no database at all');
  const start = await host.zeo('start');
  assert.equal(start.status, 3, start.stderr);
  assert.match(start.stderr, /refused: this host cannot take over/);
  assert.deepEqual([roleOf(host.dataFs), roleOf(host.file('catalog'))], ['slave', 'slave']);
  assert.equal(readFileSync(host.status, 'utf8'), 'SYNCING=1\n');
  assert.ok(!(await portListens(host.port)));
});

test('a slave that is too old is not promoted by a program', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'slave', 1);
  host.set({ max_age: 1 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const start = await host.zeo('start');
  assert.equal(start.status, 3, start.stderr);
  assert.match(start.stderr, /the slave is too old/);
  assert.equal(roleOf(host.dataFs), 'slave');
});

test('a mistake in the configuration does not prevent the takeover: the paths are known', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'slave', 1);
  writeFileSync(host.env['SYNCPOZO_CONFIG'] ?? '', 'storages: [\n');
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.equal(roleOf(host.dataFs), 'master');
  assert.equal(readFileSync(host.status, 'utf8'), 'SYNCING=0\n');
  assert.equal(await served(host.port), 5);
});

for (const [what, body] of [
  ['dies', 'exit 1'],
  ['hangs', 'exec sleep 1000'],
  ['does not even end when asked to', 'kill -STOP $$'],
] as const) {
  test(`a takeover whose ZEO ${what} at its start is given up while the other host is alive`, async (t) => {
    const host = await makeHost(t);
    giveRole(host.dataFs, 'slave', 1);
    const bin = join(host.dir, 'bin');
    writeScript(join(bin, 'ping'), 'exit 0');
    writeScript(join(bin, 'runzeo'), body);
    const alive = { peer_address: '127.0.0.1', peer_heartbeat: '127.0.0.1', PATH: `${bin}:${process.env['PATH']}` };
    host.set({ ...alive, UNOPENED_SECONDS: 2, zeo_start_wait: 300, zeo_stop_wait: 60 });
    const start = await host.zeo('start');
    assert.equal(start.status, 1, start.stderr);
    assert.match(start.stderr, /ZEO has not opened its data for 2 s, and /);
    assert.match(start.stderr, /giving the promotion up: nothing was committed here/);
    assert.equal(roleOf(host.dataFs), 'slave');
    assert.match(readFileSync(`${host.dataFs}.role`, 'utf8'), /^began 2 .* unused$/m);
    assert.equal(readFileSync(host.status, 'utf8'), 'SYNCING=1\n');
  });
}

test('a start takes the role back that the other host has given up', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'superseded', 1);
  giveRole(host.peer, 'slave', 2, true);
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.equal(roleOf(host.dataFs), 'master');
  assert.equal(await served(host.port), 5);
});

test('a side that was superseded by a promotion which was given up may serve again', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'superseded', 1);
  giveRole(host.peer, 'slave', 2);
  assert.equal((await host.zeo('may-start')).status, 3, 'something may have been committed in term 2');
  giveRole(host.peer, 'slave', 2, true);
  const asked = await host.zeo('may-start');
  assert.equal(asked.status, 0, asked.stderr);
  assert.match(asked.stderr, /has given its promotion up/);
  assert.equal(roleOf(host.dataFs), 'master');
  assert.equal((await host.zeo('start')).status, 0);
  assert.equal(await served(host.port), 5);
  assert.equal((await host.zeo('stop')).status, 0);
});

test('a host that reaches neither the router nor the other host promotes nothing', async (t) => {
  const host = await makeHost(t);
  giveRole(host.dataFs, 'slave', 1);
  const bin = join(host.dir, 'bin');
  writeScript(join(bin, 'ping'), 'exit 1');
  host.set({
    ping_address: '192.0.2.1',
    peer_address: '192.0.2.2',
    peer_heartbeat: '192.0.2.3',
    PATH: `${bin}:/usr/bin:/bin`,
  });
  const start = await host.zeo('start');
  assert.equal(start.status, 3, start.stderr);
  assert.match(start.stderr, /this host is isolated/);
  assert.equal(roleOf(host.dataFs), 'slave');
});
