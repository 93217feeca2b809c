import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatRole } from '../../src/standby/role.js';
import { venvProgram } from '../support/venv.js';
import { writeScript } from './shell.js';
import { commit, giveRole, type Instance, makeInstance, portListens, roleOf } from './zeo.js';

const NAMES = ['main', 'catalog'] as const;

/** Two storages of a host that was superseded by a promotion which the other host has given up. */
async function makeHost(t: TestContext): Promise<Instance> {
  const host = await makeInstance(t, ['catalog']);
  for (const name of NAMES) {
    await commit(host.file(name), 5);
    giveRole(host.file(name), 'superseded', 1);
    giveRole(host.peerFile(name), 'slave', 2, true);
  }
  // Any slave is too old for a takeover by a program.
  host.set({ max_age: 1 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return host;
}

const rolesOf = (host: Instance): unknown => NAMES.map((name) => roleOf(host.file(name)));

/** Until the file `works` is there, a syncpozo whose verb fails, or is killed, at one storage. */
function breakSyncpozo(host: Instance, verb: string, storage: string): () => void {
  const works = join(host.dir, 'works');
  const real = join(host.dir, 'bin', 'syncpozo');
  const body = `case "$1 $*" in '${verb} '*' ${storage}') [ -e '${works}' ] || exit 124 ;; esac\nexec '${real}' "$@"`;
  host.set({ SYNCPOZO: writeScript(join(host.dir, 'bin', 'breaks'), body) });
  return () => writeFileSync(works, '');
}

for (const [verb, storage, call, left] of [
  ['demote', 'catalog', 'may-start', ['master', 'superseded']],
  ['promote', 'main', 'start', ['slave', 'superseded']],
] as const) {
  test(`a role is taken back by the next ${call} where ${verb} of ${storage} has failed`, async (t) => {
    const host = await makeHost(t);
    const repair = breakSyncpozo(host, verb, storage);
    const failed = await host.zeo(call);
    assert.equal(failed.status, 3, failed.stderr);
    assert.match(failed.stderr, /refused: .* could not be promoted again/);
    assert.deepEqual(rolesOf(host), left);
    assert.ok(!(await portListens(host.port)));
    repair();
    const done = await host.zeo(call);
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(rolesOf(host), ['master', 'master']);
    assert.equal(await portListens(host.port), call === 'start');
  });
}

test('nothing is taken back while the other host serves, or may', async (t) => {
  const host = await makeHost(t);
  const peer = host.peerFile('catalog');
  const spoils: Readonly<Record<string, () => void>> = {
    'it serves without a promotion': () => {
      writeFileSync(`${peer}.unpromoted`, '');
      utimesSync(`${peer}.role`, 1000, 1000);
    },
    'it was promoted again': () => giveRole(peer, 'master', 3),
    'it has committed in its term': () => giveRole(peer, 'slave', 2),
    'its file is longer than at its promotion': () => appendFileSync(peer, 'x'),
  };
  for (const [what, spoil] of Object.entries(spoils)) {
    giveRole(peer, 'slave', 2, true);
    rmSync(`${peer}.unpromoted`, { force: true });
    spoil();
    assert.equal((await host.zeo('may-start')).status, 3, what);
    assert.deepEqual(rolesOf(host), ['superseded', 'superseded'], what);
  }
  assert.equal((await host.zeo('start')).status, 3);
});

test('a slave that lacks what the other host has is not promoted as one that was taken back', async (t) => {
  const host = await makeHost(t);
  for (const name of NAMES) {
    giveRole(host.file(name), 'slave', 1);
    const peer = host.peerFile(name);
    const position = statSync(host.file(name)).size + 1;
    truncateSync(peer, position);
    const began = { term: 2, position, tid: 0n, at: 1_700_000_000_000, host: 'm2', command: 'promote', unused: true };
    writeFileSync(`${peer}.role`, formatRole({ role: 'slave', terms: [began] }));
  }
  const start = await host.zeo('start');
  assert.equal(start.status, 3, start.stderr);
  assert.match(start.stderr, /the slave is too old/);
  assert.deepEqual(rolesOf(host), ['slave', 'slave']);
});

for (const writes of [false, true]) {
  const what = writes ? 'that has written' : 'that has written nothing';
  test(`a start without syncpozo, of a ZEO ${what} and dies: the note beside the data ${writes ? 'stays' : 'goes'}`, async (t) => {
    const host = await makeInstance(t);
    await commit(host.dataFs, 5);
    giveRole(host.dataFs, 'slave', 1);
    rmSync(join(host.dir, 'bin', 'syncpozo'));
    const bin = join(host.dir, 'bin');
    writeScript(join(bin, 'ping'), 'exit 0');
    const body = `if [ "$1" = start ]; then ${writes ? `printf x >>'${host.dataFs}'; ` : ''}exit 1; fi\nexec '${bin}/zeoctl' "$@"`;
    const control = writeScript(join(bin, 'control'), body);
    const alive = { peer_address: '127.0.0.1', peer_heartbeat: '127.0.0.1', PATH: `${bin}:${process.env['PATH']}` };
    host.set({ ...alive, zeo_control: control, zeo_stop_wait: 3 });
    const start = await host.zeo('start');
    assert.equal(start.status, 1, start.stderr);
    assert.equal(existsSync(`${host.dataFs}.unpromoted`), writes, start.stderr);
  });
}

test('a ZEO that needs long to open its data is waited for where the other host has died since the promotion', async (t) => {
  const host = await makeInstance(t);
  await commit(host.dataFs, 5);
  giveRole(host.dataFs, 'slave', 1);
  const bin = join(host.dir, 'bin');
  // The question of a takeover is the one that waits for 0.3 s.
  writeScript(join(bin, 'ping'), `case "$*" in *' -W 0.3 '*) exit 0 ;; esac\nexit 1`);
  writeScript(join(bin, 'runzeo'), `sleep 5\nexec '${venvProgram('runzeo')}' -C '${host.dir}/etc/zeo.conf' "$@"`);
  const alive = { peer_address: '127.0.0.1', peer_heartbeat: '127.0.0.1', PATH: `${bin}:${process.env['PATH']}` };
  host.set({ ...alive, UNOPENED_SECONDS: 2, zeo_start_wait: 60 });
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stderr, /does not answer any more/);
  assert.equal(roleOf(host.dataFs), 'master');
});

test('a promotion whose host went down before its ZEO served is given up after the boot', async (t) => {
  const host = await makeInstance(t);
  await commit(host.dataFs, 5);
  writeFileSync(host.status, 'SYNCING=1\n');
  giveRole(host.dataFs, 'slave', 1);
  giveRole(host.peer, 'master', 1);
  const bin = join(host.dir, 'bin');
  host.set({ zeo_control: '/bin/false', UNOPENED_SECONDS: 2, zeo_stop_wait: 3 });
  assert.equal((await host.zeo('start')).status, 1);
  assert.equal(roleOf(host.dataFs), 'master');
  writeScript(join(bin, 'ping'), 'exit 0');
  giveRole(host.peer, 'superseded', 1);
  host.set({ peer_address: '127.0.0.1', peer_heartbeat: '127.0.0.1', PATH: `${bin}:${process.env['PATH']}` });
  const start = await host.zeo('start');
  assert.equal(start.status, 1, start.stderr);
  assert.match(start.stderr, /giving the promotion up/);
  assert.match(readFileSync(`${host.dataFs}.role`, 'utf8'), /^role slave\n(.*\n)*began 2 .* unused$/m);
  assert.equal(readFileSync(host.status, 'utf8'), 'SYNCING=1\n');
});

test('a side that has given its own promotion up takes nothing back, while the other one is a slave on its way back', async (t) => {
  const host = await makeInstance(t);
  await commit(host.dataFs, 5);
  const position = statSync(host.dataFs).size;
  const line = { position, tid: 0n, at: 1_700_000_000_000, host: 'm2', command: 'promote' };
  const [first, givenUp] = [
    { ...line, term: 1, unused: false },
    { ...line, term: 2, host: 'm1', unused: true },
  ];
  writeFileSync(`${host.dataFs}.role`, formatRole({ role: 'slave', terms: [first, givenUp] }));
  // It has followed this side before it is promoted again, and so it knows the term.
  writeFileSync(`${host.peer}.role`, formatRole({ role: 'slave', terms: [first, givenUp] }));
  copyFileSync(host.dataFs, host.peer);
  await host.zeo('may-start');
  assert.equal(roleOf(host.dataFs), 'slave');
});
