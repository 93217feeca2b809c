import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertLoss, assertNobodyServedAgainstItsRole, phases } from './support/aftermath.js';
import type { Host } from './support/host.js';
import type { Load } from './support/load.js';
import { type Pair, seconds } from './support/pair.js';
import { isAcknowledged } from './support/requests.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/** Visitors who are on the same side of the cut as this host. */
function loadInside(pair: Pair, host: Host): Load {
  return pair.load({ writers: 2, readers: 1, timeoutMs: 3000 }, ['nsenter', '-t', String(host.pid), '-n']);
}

/** Waits until nothing of the cluster runs on this host any more. */
async function isDown(pair: Pair, host: Host, within: number): Promise<number> {
  const isDown = { zeo: false, address: false };
  return await pair.until(
    `${host.name} has neither ZEO nor address`,
    ({ hosts }) => hosts[host.name]?.zeo === isDown.zeo && hosts[host.name]?.address === isDown.address,
    within,
  );
}

scenes('partition', {
  'the cables of the master are pulled: it stops, and the slave takes over': async (pair) => {
    const { m1, m2 } = pair;
    const outside = pair.load({ timeoutMs: 15_000 });
    await sleep(2000);
    const inside = loadInside(pair, m1);
    m1.cut();
    const cut = seconds();
    await isDown(pair, m1, 30);
    await pair.firstCommit(outside, cut);
    phases(pair, m2, cut);
    const requests = [...(await inside.end()), ...(await outside.end())];
    m1.heal();
    pair.say('the cables are plugged in again');
    await pair.until('m1 knows', ({ hosts }) => hosts['m1']?.role === 'superseded', 60);
    await sleep(3000);
    await pair.rejoin(m1);
    await pair.inStep(m1);
    const verdict = account(pair, m2, requests, cut);
    assertLoss(verdict);
    const here = verdict.lost.filter(({ client, start }) => client === 'm1' && start > cut).length;
    pair.say(`acknowledged by the side that was cut off: ${here}`);
    await assertSameBytes(pair, m2, m1);
    assertNobodyServedAgainstItsRole(pair, cut);
    await pair.managed(m1);
  },

  'the hosts lose sight of each other, and their clients see both: after the heal one side ends': async (pair) => {
    const { m1, m2 } = pair;
    const outside = pair.load({ timeoutMs: 15_000 });
    await sleep(2000);
    pair.network.partition();
    const cut = seconds();
    await pair.until('m1 serves as well', ({ hosts }) => hosts['m1']?.zeo === true && hosts['m1'].address, 60);
    const inside = loadInside(pair, m2);
    await sleep(4000);
    pair.network.unite();
    const healed = seconds();
    pair.say('the hosts see each other again');
    await pair.until('m2 knows', ({ hosts }) => hosts['m2']?.role === 'superseded', 60);
    const known = seconds();
    await isDown(pair, m2, 20);
    await pair.until('m1 answers', ({ answers }) => answers === 'm1', 30);
    await sleep(5000);
    const requests = [...(await inside.end()), ...(await outside.end())];
    // What m2 has committed since it knew is in its Data.fs, and in the file of lost transactions after the rejoin.
    const late = requests.filter(
      (request) => isAcknowledged(request) && request.client === 'm2' && request.end > known,
    );
    pair.say(`superseded ${(known - healed).toFixed(1)} s after the heal`);
    await pair.rejoin(m2);
    await pair.inStep(m2);
    const verdict = account(pair, m1, requests, cut);
    assertLoss(verdict);
    const lost = new Set(verdict.lost.map(({ id }) => id));
    const accepted = late.filter(({ id }) => lost.has(id)).map(({ end }) => (end - known).toFixed(1));
    pair.say(`accepted by m2 after it knew: ${accepted.length}`);
    assert.ok(Math.max(0, ...accepted.map(Number)) < 10, 'a superseded side went on committing');
    await assertSameBytes(pair, m1, m2);
    assertNobodyServedAgainstItsRole(pair, cut);
    await pair.managed(m2);
  },
});
