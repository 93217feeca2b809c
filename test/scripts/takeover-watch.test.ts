import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, installSyncpozo, processesNaming, writeScript } from './shell.js';
import { asSync, commit, holdLock, type Instance, lockIsFree, makeInstance, served } from './zeo.js';

interface Watched {
  readonly slave: Instance;
  /** The calls of both commands, each with the switch and the role of its moment. */
  readonly calls: () => string[];
}

/** A slave with one transaction whose watch is stopped and started by a command that notes what it finds. */
async function makeWatched(t: TestContext, body = ''): Promise<Watched> {
  const slave = await makeInstance(t, 'slave');
  await commit(slave.dataFs, 5);
  writeFileSync(slave.status, 'SYNCING=1\n');
  const log = join(slave.dir, 'calls');
  const command = writeScript(
    join(slave.dir, 'bin', 'watchctl'),
    `if grep -qsx 'role master' '${slave.dataFs}.role'; then role=promoted; else role=slave; fi
echo "$1 $(cat '${slave.status}' 2>/dev/null) $role" >>'${log}'
${body}`,
  );
  slave.set({
    SYNCPOZO: installSyncpozo(join(slave.dir, 'bin')),
    SYNCPOZO_WATCH_STOP: `${command} stop`,
    SYNCPOZO_WATCH_START: `${command} start`,
    SYNCPOZO_WATCH_WAIT: 1,
  });
  const calls = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []);
  return { slave, calls };
}

const BOTH = ['stop SYNCING=1 slave', 'start SYNCING=0 promoted'];

test('a takeover stops the watch first, and starts it again when ZEO serves', async (t) => {
  const { slave, calls } = await makeWatched(t);
  const start = await slave.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  assert.deepEqual(calls(), BOTH);
  assert.equal(await served(slave.port), 5);
  assert.doesNotMatch(start.stderr, /going on without it/);
  // The end of ZEO concerns the watch as little as a sync.
  assert.equal((await slave.zeo('stop')).status, 0);
  assert.deepEqual(calls(), BOTH);
});

for (const [what, body] of [
  ['hangs', 'trap "" TERM; sleep 60'],
  ['fails', 'exit 1'],
] as const) {
  test(`a command for the watch that ${what} does not prevent the takeover`, async (t) => {
    const { slave, calls } = await makeWatched(t, body);
    // The watch goes on, in the middle of a round: promote ends it.
    const watch = await holdLock(t, slave.lock, { content: asSync, ignoresTerm: true });
    const start = await slave.zeo('start');
    assert.equal(start.status, 0, start.stderr);
    assert.match(
      start.stderr,
      /SYNCPOZO_WATCH_STOP has failed or taken more than 1 s, going on without it: .*watchctl stop/,
    );
    assert.match(start.stderr, /SYNCPOZO_WATCH_START has failed or taken more than 1 s/);
    assert.equal(watch.process.signalCode, 'SIGKILL');
    assert.deepEqual(calls(), BOTH);
    assert.deepEqual(processesNaming('watchctl').length, 0);
    assert.equal(await served(slave.port), 5);
  });
}

test('a takeover that fails starts the watch again: without it the slave would fall behind unnoticed', async (t) => {
  const { slave, calls } = await makeWatched(t);
  const status = join(slave.dir, 'missing', 'syncPozo.status');
  slave.set({ SYNCPOZO: writeScript(join(slave.dir, 'bin', 'broken'), 'exit 1'), SYNCPOZO_STATUS: status });
  const start = await slave.zeo('start');
  assert.equal(start.status, 1, start.stderr);
  await eventually('it is started', () => calls().length === 2);
  assert.deepEqual(calls(), ['stop SYNCING=1 slave', 'start SYNCING=1 slave']);
  assert.ok(await lockIsFree(slave.lock));
});

test('a slave that cannot be served at all keeps its watch', async (t) => {
  const { slave, calls } = await makeWatched(t);
  slave.set({ ZEO_DATA_FS: join(slave.dir, 'nowhere', 'Data.fs'), SYNCPOZO_WATCH_START: '' });
  assert.equal((await slave.zeo('start')).status, 1);
  assert.deepEqual(calls(), []);
});

test('a time limit that is no number is a mistake in the settings', async (t) => {
  const { slave } = await makeWatched(t);
  slave.set({ SYNCPOZO_WATCH_WAIT: 'long' });
  const start = await slave.zeo('start');
  assert.equal(start.status, 6);
  assert.match(start.stderr, /not a number in the settings: 'long'/);
});
