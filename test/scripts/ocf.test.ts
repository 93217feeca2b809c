import assert from 'node:assert/strict';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Agent, agentPath, makeAgent, needsAlone, OCF, ocfAlone } from './ocf-agent.js';
import { eventually, kill, type Result, run, scratch, writeScript } from './shell.js';
import { commit, giveRole, lockedBy, lockIsFree, portListens, roleOf, served } from './zeo.js';

function assertExit(result: Result, status: number): void {
  assert.equal(result.status, status, result.stderr);
}

/** The slave gets what the other host has. */
async function sync(agent: Agent): Promise<void> {
  const { SYNCPOZO = '', SYNCPOZO_CONFIG = '' } = agent.env;
  await run(SYNCPOZO, ['sync', '--config', SYNCPOZO_CONFIG], { env: { ...agent.env } });
}

async function inStep(agent: Agent): Promise<void> {
  await commit(agent.peer, 1);
  await sync(agent);
}

/** What a promotion has to have reached when it returns. */
async function promoteAndCheck(agent: Agent): Promise<void> {
  assertExit(await agent.ocf('promote'), OCF.success);
  assert.ok(await portListens(agent.port), 'ZEO listens as soon as promote has returned');
  assertExit(await agent.ocf('monitor'), OCF.promoted);
}

describe("Pacemaker's agent", () => {
  it('lives from the first probe to the last', async (t) => {
    const agent = await makeAgent(t);
    await inStep(agent);
    assertExit(await agent.ocf('validate-all'), OCF.success);
    assertExit(await agent.ocf('monitor'), OCF.notRunning);
    for (const _ of [1, 2]) assertExit(await agent.ocf('start'), OCF.success);
    assert.ok(!(await portListens(agent.port)), 'an unpromoted resource has no ZEO');
    assert.equal(agent.score(), 100);
    for (const how of [() => agent.ocf('monitor'), agent.monitor]) assertExit(await how(), OCF.success);
    writeFileSync(join(agent.run, 'aside'), 'an earlier switchover\n');
    await promoteAndCheck(agent);
    assertExit(await agent.ocf('promote'), OCF.success);
    assert.deepEqual([roleOf(agent.dataFs), agent.score(), await served(agent.port)], ['master', 1000, 1]);
    for (const _ of [1, 2]) assertExit(await agent.ocf('demote'), OCF.success);
    assert.ok(!(await portListens(agent.port)) && (await lockIsFree(agent.lock)));
    assertExit(await agent.monitor(), OCF.success);
    assert.equal(agent.score(), 1000, 'it has served last');
    await promoteAndCheck(agent);
    for (const _ of [1, 2]) assertExit(await agent.ocf('stop'), OCF.success);
    assert.ok(await lockIsFree(agent.lock));
    assertExit(await agent.monitor(), OCF.notRunning);
    assert.equal(agent.score(), undefined);
  });

  it('is caught if its promote returns before ZEO listens', async (t) => {
    const hasty = await makeAgent(t, [], hastyAgent(t));
    await inStep(hasty);
    await hasty.ocf('start');
    await assert.rejects(promoteAndCheck(hasty), /ZEO listens as soon as/);
    while (!(await portListens(hasty.port))) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it('has the scores of the judgement that /promotable shares', async (t) => {
    const agent = await makeAgent(t);
    await agent.ocf('start');
    assert.equal(agent.score(), undefined, 'never synced');
    await inStep(agent);
    const scoreNow = async (): Promise<number | undefined> => {
      assertExit(await agent.monitor(), OCF.success);
      return agent.score();
    };
    assert.equal(await scoreNow(), 100);
    rmSync(join(agent.dir, 'peer', 'var'), { recursive: true });
    await sync(agent);
    assert.equal(await scoreNow(), 5, 'the other host is out of reach: that is what promotions are for');
    agent.set({ max_age: 0 });
    assert.equal(await scoreNow(), undefined, 'too old');
    agent.set({ max_age: 3600 });
    writeFileSync(agent.status, 'SYNCING=0\n');
    assert.equal(await scoreNow(), undefined, 'somebody has stopped the syncs');
    writeFileSync(agent.status, 'SYNCING=1\n');
    agent.set({ SYNCPOZO: '/nowhere/syncpozo' });
    assert.equal(await scoreNow(), 5, 'a takeover does not need node');
    agent.set({ SYNCPOZO: agent.env['SYNCPOZO'] ?? '' });
    for (const role of ['superseded', 'rejoining'] as const) {
      giveRole(agent.dataFs, role);
      assert.equal(await scoreNow(), undefined, role);
      assertExit(await agent.ocf('promote'), OCF.generic);
      assert.ok(!(await portListens(agent.port)), role);
    }
    giveRole(agent.dataFs, 'slave');
    assert.equal(await scoreNow(), 5, 'after a rejoin it takes part by itself');
  });

  it('compares an old master with the other host', async (t) => {
    const agent = await makeAgent(t);
    await commit(agent.dataFs, 1);
    giveRole(agent.dataFs, 'master', 1);
    giveRole(agent.peer, 'slave', 1);
    await agent.ocf('start');
    assert.equal(agent.score(), 1000);
    writeFileSync(join(agent.run, 'aside'), 'switchover\n');
    assertExit(await agent.monitor(), OCF.success);
    assert.equal(agent.score(), 1, 'it steps aside for any standby that can serve');
    const aside = join(agent.run, 'aside');
    for (const [what, text, secondsAgo, score] of [
      ['as long as it says', 'cut off\n5\n', 6, 1000],
      ['longer than a minute, if it says so', 'maintenance\n900\n', 100, 1],
      ['from before the clock was set back', 'switchover\n', -3600, 1000],
    ] as const) {
      writeFileSync(aside, text);
      const at = Date.now() / 1000 - secondsAgo;
      utimesSync(aside, at, at);
      assertExit(await agent.monitor(), OCF.success);
      assert.equal(agent.score(), score, what);
    }
    giveRole(agent.peer, 'master', 2);
    await agent.ocf('notify', {
      OCF_RESKEY_CRM_meta_notify_type: 'post',
      OCF_RESKEY_CRM_meta_notify_operation: 'promote',
    });
    await eventually('the score is gone', () => agent.score() === undefined);
    assert.equal(roleOf(agent.dataFs), 'superseded');
    assertExit(await agent.ocf('promote'), OCF.generic);
    assert.ok(!(await portListens(agent.port)));
  });

  it('reports a ZEO that has died for good, and not one that zdaemon starts again', async (t) => {
    const agent = await makeAgent(t);
    await inStep(agent);
    await agent.ocf('start');
    await promoteAndCheck(agent);
    kill(lockedBy(agent.lock));
    assertExit(await agent.monitor(), OCF.promoted);
    rmSync(join(agent.dir, 'bin', 'runzeo'));
    kill(lockedBy(agent.lock));
    assertExit(await agent.monitor(), OCF.failedPromoted);
    assertExit(await agent.ocf('monitor'), OCF.failedPromoted);
    assertExit(await agent.ocf('demote'), OCF.success);
    assertExit(await agent.monitor(), OCF.success);
  });

  it('is failed while ZEO serves a side that was superseded', async (t) => {
    const agent = await makeAgent(t);
    await inStep(agent);
    await agent.ocf('start');
    await promoteAndCheck(agent);
    giveRole(agent.dataFs, 'superseded', 1);
    assertExit(await agent.monitor(), OCF.failedPromoted);
    assert.equal(agent.score(), undefined);
    assertExit(await agent.ocf('demote'), OCF.success);
    assertExit(await agent.monitor(), OCF.success);
    assert.equal(agent.score(), undefined);
  });

  it('keeps what is wrong on one host from stopping the other one', { skip: needsAlone }, async (t) => {
    const agent = await makeAgent(t);
    const nothing = { OCF_RESKEY_library: '/nowhere' };
    const codes = async (...actions: string[]): Promise<(number | null)[]> => {
      const found: (number | null)[] = [];
      for (const action of actions) found.push((await ocfAlone(agent, action, nothing)).status);
      return found;
    };
    assert.deepEqual(await codes('validate-all', 'monitor', 'start', 'promote', 'stop', 'notify'), [6, 7, 5, 5, 0, 0]);
    const wrong = { OCF_RESKEY_grace: 'long' };
    assertExit(await agent.ocf('start', wrong), OCF.configured);
    await agent.ocf('start');
    assert.deepEqual(await codes('demote', 'monitor', 'stop', 'monitor'), [0, 5, 0, 7]);
    assertExit(await agent.ocf('reload'), OCF.unimplemented);
  });

  it('never calls a ZEO stopped that may serve, also without settings', { skip: needsAlone }, async (t) => {
    const agent = await makeAgent(t);
    await inStep(agent);
    const zeo = writeScript(join(agent.dir, 'any-runzeo'), 'sleep 60');
    const noLibrary = { OCF_RESKEY_library: '/nowhere' };
    const noSettings = { SYNCPOZO_SETTINGS: join(agent.dir, 'nowhere') };
    // Nobody knows what it serves: neither a probe nor a stop may say that this host is free.
    for (const how of [noLibrary, noSettings]) {
      for (const action of ['monitor', 'stop']) {
        const blind = await ocfAlone(agent, action, how, zeo);
        assertExit(blind, OCF.generic);
        assert.match(blind.stderr, /a ZEO server runs on this host/);
      }
      assertExit(await ocfAlone(agent, 'monitor', how), OCF.notRunning);
      assertExit(await ocfAlone(agent, 'stop', how), OCF.success);
    }
    await agent.ocf('start');
    for (const action of ['demote', 'stop']) assertExit(await ocfAlone(agent, action, noSettings, zeo), OCF.generic);

    // What it has promoted itself is never called stopped.
    await promoteAndCheck(agent);
    for (const action of ['monitor', 'demote', 'stop'])
      assertExit(await ocfAlone(agent, action, noSettings), OCF.installed);
    assert.ok(await portListens(agent.port));
    // A parameter that it does not need keeps no ZEO alive.
    assertExit(await agent.ocf('stop', { OCF_RESKEY_grace: 'long' }), OCF.success);
    assert.ok(!(await portListens(agent.port)));
  });

  it('describes itself without a configuration', async () => {
    const { status, stdout } = await run(agentPath, ['meta-data'], { env: { OCF_RESKEY_library: '/nowhere' } });
    assert.equal(status, 0);
    const actions = [...stdout.matchAll(/<action name="([a-z-]+)"/g)].map(([, name]) => name);
    const expected = [
      'start',
      'stop',
      'promote',
      'demote',
      'monitor',
      'monitor',
      'notify',
      'meta-data',
      'validate-all',
    ];
    assert.deepEqual(actions, expected);
  });
});

/** The agent with a promote that does not wait for ZEO: `promoteAndCheck` must not pass with it. */
function hastyAgent(t: TestContext): string {
  const path = join(scratch(t), 'zeo');
  const text = readFileSync(agentPath, 'utf8');
  const hasty = text.replace(
    '"$cluster_lib/zeo" start >&2\n',
    '"$cluster_lib/zeo" start </dev/null >/dev/null 2>&1 &\n',
  );
  assert.notEqual(hasty, text);
  writeFileSync(path, hasty, { mode: 0o755 });
  return path;
}
