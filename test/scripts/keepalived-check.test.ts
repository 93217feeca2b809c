import assert from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { formatOutcome } from '../../src/standby/outcome-file.js';
import { Elected } from './elected.js';
import { kill, processesNaming } from './shell.js';
import { commit, giveRole, type Instance, makeInstance, roleOf } from './zeo.js';

/** What keepalived learns about a host: `check` with real role files and a real ZEO, in a network of its own. */

const options = { skip: process.getuid?.() === 0 ? false : 'not run: a network namespace needs root' };

async function host(t: TestContext): Promise<{ instance: Instance; elected: Elected }> {
  const instance = await makeInstance(t);
  await commit(instance.dataFs, 1);
  const elected = await Elected.start(t, instance);
  return { instance, elected };
}

function lastInStep(instance: Instance, secondsAgo: number): void {
  const time = Date.now() - secondsAgo * 1000;
  const run = { time, exitCode: 0, action: 'none', reason: 'nothing new', inStep: time, trouble: undefined } as const;
  writeFileSync(`${instance.dataFs}.outcome`, formatOutcome(run));
}

test('a slave in step may serve; one that is older than max-age, or has just booted, must not', options, async (t) => {
  const { instance, elected } = await host(t);
  giveRole(instance.dataFs, 'slave', 3);
  lastInStep(instance, 5);
  const fresh = await elected.check();
  assert.deepEqual([fresh.status, fresh.stderr], [0, 'keepalived-check: this host may serve\n']);
  assert.equal(elected.text('keepalived.term'), '3\n');
  assert.equal((await elected.check()).stderr, '', 'the same answer is logged once');

  const booting = await elected.check({ SYNCPOZO_BOOT_WAIT: '100000' });
  assert.equal(booting.status, 1);
  assert.match(booting.stderr, /keepalived has just started: in the first 100000 s a slave waits for its master/);

  instance.set({ max_age: 600 });
  lastInStep(instance, 700);
  const old = await elected.check();
  assert.equal(old.status, 1);
  assert.match(old.stderr, /was last in step more than 600 s ago, at \d{4}-/);
  rmSync(`${instance.dataFs}.outcome`);
  assert.equal((await elected.check()).status, 0, 'without a record, promote decides');
});

for (const role of ['superseded', 'rejoining'] as const)
  test(`a side that is ${role} must not serve`, options, async (t) => {
    const { instance, elected } = await host(t);
    giveRole(instance.dataFs, role, 1);
    const result = await elected.check();
    assert.equal(result.status, 1);
    assert.match(result.stderr, role === 'superseded' ? /was superseded/ : /has not ended/);
    assert.match(result.stderr, /hint: 'syncpozo rejoin main --yes'/);
  });

test('a role file that cannot be read, a missing Data.fs and broken settings are reasons, too', options, async (t) => {
  const { instance, elected } = await host(t);
  writeFileSync(`${instance.dataFs}.role`, 'syncpozo role 1\nrole sla');
  assert.match((await elected.check()).stderr, /Data\.fs\.role cannot be read/);
  giveRole(instance.dataFs, 'slave', 1);
  rmSync(instance.dataFs);
  assert.match((await elected.check()).stderr, /is missing or empty/);
  instance.set({ cluster_manager: 'heartbeat' });
  assert.match((await elected.check()).stderr, /cluster\.manager in .* is heartbeat, and not keepalived/);
  instance.set({ storages: '' });
  const result = await elected.check();
  assert.deepEqual([result.status, /no storage/.test(result.stderr)], [1, true]);
});

test(
  'a master that does not serve is asked for, without a wait; one that was followed is superseded',
  options,
  async (t) => {
    const { instance, elected } = await host(t);
    giveRole(instance.dataFs, 'master', 1);
    giveRole(instance.peer, 'slave', 1);
    const first = await elected.check();
    assert.equal(first.status, 1);
    assert.match(first.stderr, /asking whether m2 has served since/);
    await elected.checkUntil(0);

    giveRole(instance.peer, 'master', 2);
    const refused = await elected.checkUntil(1);
    assert.match(refused.stderr, /another side has served in a higher term|was superseded/);
    assert.equal(roleOf(instance.dataFs), 'superseded');
  },
);

test(
  'on the host that was elected, a ZEO that stays down for five seconds ends it, for half a minute',
  options,
  async (t) => {
    const { instance, elected } = await host(t);
    giveRole(instance.dataFs, 'master', 1);
    giveRole(instance.peer, 'slave', 1);
    elected.becomes('MASTER');
    await elected.until('the address is here', () => elected.hasAddress());
    assert.equal((await elected.check()).status, 0);

    // zdaemon goes first: it would start ZEO again.
    for (const pid of processesNaming(instance.dir)) kill(pid);
    await elected.until('ZEO is down', async () => !(await elected.listens()));
    assert.equal((await elected.check()).status, 0, 'zdaemon gets its time');
    const given = await elected.checkUntil(1);
    assert.match(given.stderr, /ZEO does not listen on port \d+; this host holds back for 30 s/);
    assert.match((await elected.check()).stderr, /holding back/);
    const past = Date.now() / 1000 - 31;
    utimesSync(elected.file('keepalived.held'), past, past);
    elected.becomes('FAULT');
    await elected.checkUntil(0);
  },
);

test('a host steps aside when it is asked to, for a minute', options, async (t) => {
  const { instance, elected } = await host(t);
  giveRole(instance.dataFs, 'slave', 1);
  writeFileSync(elected.file('aside'), 'a planned switchover\n');
  const result = await elected.check();
  assert.equal(result.status, 1);
  assert.match(result.stderr, /stepping aside: a planned switchover/);
  const past = Date.now() / 1000 - 61;
  utimesSync(elected.file('aside'), past, past);
  assert.equal((await elected.check()).status, 0);
  writeFileSync(elected.file('aside'), 'this host is cut off\n5\n');
  assert.equal((await elected.check()).status, 1);
  const sixAgo = Date.now() / 1000 - 6;
  utimesSync(elected.file('aside'), sixAgo, sixAgo);
  assert.equal((await elected.check()).status, 0);
  // The clock was set back.
  const future = Date.now() / 1000 + 3600;
  utimesSync(elected.file('aside'), future, future);
  assert.equal((await elected.check()).status, 0);
});

test('without the service that would act nothing may be elected', options, async (t) => {
  const { instance, elected } = await host(t);
  giveRole(instance.dataFs, 'slave', 1);
  assert.equal((await elected.check()).status, 0);
  kill(Number(elected.text('keepalived.pid')));
  // Its network goes with it.
  writeFileSync(elected.file('keepalived.pid'), '1\n');
  const again = await Elected.start(t, instance);
  assert.equal((await again.check()).status, 0);
  writeFileSync(again.file('keepalived.pid'), `${process.pid}\n`);
  const result = await again.check();
  assert.deepEqual([result.status, /syncpozo-keepalived does not run/.test(result.stderr)], [1, true]);
});
