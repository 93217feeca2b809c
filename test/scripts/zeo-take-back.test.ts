import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeScript } from './shell.js';
import { commit, giveRole, type Instance, makeInstance, portListens, roleOf, served } from './zeo.js';

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

for (const [verb, storage, left] of [
  ['demote', 'catalog', ['master', 'superseded']],
  ['promote', 'main', ['slave', 'superseded']],
  ['promote', 'catalog', ['master', 'slave']],
] as const) {
  test(`a role is taken back by the next start where ${verb} of ${storage} has failed`, async (t) => {
    const host = await makeHost(t);
    const mend = breakSyncpozo(host, verb, storage);
    for (const call of ['may-start', 'start']) {
      const failed = await host.zeo(call);
      assert.equal(failed.status, 3, failed.stderr);
      assert.match(failed.stderr, /refused: .* could not be promoted again/);
      assert.deepEqual(rolesOf(host), left);
    }
    assert.ok(!(await portListens(host.port)));
    mend();
    const call = verb === 'demote' ? 'may-start' : 'start';
    const done = await host.zeo(call);
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(rolesOf(host), ['master', 'master']);
    const start = await host.zeo('start');
    assert.equal(start.status, 0, start.stderr);
    assert.equal(await served(host.port), 5);
  });
}

for (const [what, spoil] of [
  [
    'serves without a promotion',
    (peer: string) => {
      writeFileSync(`${peer}.unpromoted`, '');
      utimesSync(`${peer}.role`, 1000, 1000);
    },
  ],
  ['has a longer file than at the promotion', (peer: string) => appendFileSync(peer, 'x')],
  ['was promoted again', (peer: string) => giveRole(peer, 'master', 3)],
  ['has committed in its term', (peer: string) => giveRole(peer, 'slave', 2)],
] as const) {
  test(`nothing is taken back while the other host ${what}`, async (t) => {
    const host = await makeHost(t);
    spoil(host.peerFile('catalog'));
    for (const verb of ['may-start', 'start']) assert.equal((await host.zeo(verb)).status, 3);
    assert.deepEqual(rolesOf(host), ['superseded', 'superseded']);
    assert.ok(!(await portListens(host.port)));
  });
}

test('a slave that lacks what the other host has is not promoted as one that was taken back', async (t) => {
  const host = await makeHost(t);
  for (const name of NAMES) {
    giveRole(host.file(name), 'slave', 1);
    const peer = host.peerFile(name);
    appendFileSync(peer, Buffer.alloc(statSync(host.file(name)).size));
    const role = readFileSync(`${peer}.role`, 'utf8');
    assert.match(role, /^began 2 4 /m);
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
    writeScript(join(bin, 'runzeo'), `${writes ? `printf x >>'${host.dataFs}'` : ':'}\nexit 1`);
    const alive = { peer_address: '127.0.0.1', peer_heartbeat: '127.0.0.1', PATH: `${bin}:${process.env['PATH']}` };
    host.set({ ...alive, UNOPENED_SECONDS: 2, zeo_stop_wait: 3 });
    const start = await host.zeo('start');
    assert.equal(start.status, 1, start.stderr);
    assert.equal(existsSync(`${host.dataFs}.unpromoted`), writes, start.stderr);
  });
}
