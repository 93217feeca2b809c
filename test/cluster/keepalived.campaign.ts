import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertNobodyServedAgainstItsRole, failures } from './support/aftermath.js';
import { answers, serving, silence } from './support/elected-host.js';
import type { Host } from './support/host.js';
import { oldestAge } from './support/oracle.js';
import { type Pair, seconds } from './support/pair.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/**
 * The cluster with keepalived in heartbeat's place: two hosts with systemd, the files that the installer puts there, a site under
 * load. Each scene begins with a host that serves and a slave in step, and ends so.
 */

/** keepalived may elect it: `check` has said so. */
function mayServe(pair: Pair, host: Host): Promise<void> {
  const said = async (): Promise<boolean> =>
    /may serve/.test((await host.inside('cat /run/syncpozo/keepalived.said')).output);
  return pair.eventually(`${host.name} may serve`, said, 90);
}

/** Its way back. Under load it is never in step for long. */
async function comesBackAsSlave(pair: Pair, host: Host): Promise<void> {
  await pair.until(
    `${host.name} knows that it was superseded`,
    ({ hosts }) => hosts[host.name]?.role === 'superseded',
    90,
  );
  await pair.rejoin(host);
  await mayServe(pair, host);
}

scenes(
  'keepalived',
  {
    'keepalived accepts the installed configuration, and it is not the other manager that runs': async (pair) => {
      for (const host of [pair.m1, pair.m2]) {
        await host.ok('keepalived -t');
        await pair.managed(host);
        assert.notEqual((await host.inside('systemctl is-active heartbeat')).status, 0);
      }
      await mayServe(pair, pair.m2);
    },

    'the master loses its power under load': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const visitors = pair.load({ timeoutMs: 30_000 });
      const hasty = pair.hasty();
      await sleep(5000);
      await old.power();
      const cut = seconds();
      await answers(pair, next);
      await pair.firstCommit(hasty, cut);
      await pair.firstCommit(visitors, cut);
      silence(pair, cut, 30);
      await sleep(2000);
      const patient = await visitors.end();
      const requests = [...patient, ...(await hasty.end())];
      failures(pair, patient, cut);
      await pair.boot(old);
      await comesBackAsSlave(pair, old);
      await pair.inStep(old);
      const { lost } = account(pair, next, requests, cut);
      assert.ok(oldestAge(lost, cut) < 10);
      await assertSameBytes(pair, next, old);
      assertNobodyServedAgainstItsRole(pair, cut);
    },

    'a planned switchover there and back loses nothing': async (pair) => {
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 30_000 });
      await sleep(3000);
      for (let times = 0; times < 2; times++) {
        const from = await serving(pair);
        const to = pair.other(from);
        const asked = seconds();
        pair.say(await from.ok('/usr/local/lib/syncpozo/switchover', { timeoutMs: 120_000 }));
        await answers(pair, to);
        await pair.firstCommit(visitors, asked);
        silence(pair, asked, 30);
        await comesBackAsSlave(pair, from);
      }
      await sleep(1000);
      const verdict = account(pair, await serving(pair), await visitors.end(), begun);
      assert.equal(verdict.lost.length, 0);
      assertNobodyServedAgainstItsRole(pair, begun);
    },

    'a ZEO that dies is started by zdaemon; one that dies for good moves to the other host': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 30_000 });
      await sleep(3000);
      await old.ok('pkill -KILL -f [/]opt/venv/bin/runzeo');
      await sleep(8000);
      assert.equal(await serving(pair), old);
      const killed = seconds();
      await old.ok('pkill -KILL -f [/]opt/venv/bin/zeoctl; pkill -KILL -f [b]in/runzeo');
      await answers(pair, next, 90);
      await pair.firstCommit(visitors, killed);
      silence(pair, killed, 40);
      await comesBackAsSlave(pair, old);
      // Nobody has cut the network: what the dead ZEO had acknowledged could be read.
      assert.equal(account(pair, next, await visitors.end(), begun).lost.length, 0);
    },

    'keepalived that is killed leaves the site where it is': async (pair) => {
      const old = await serving(pair);
      const begun = seconds();
      await old.ok('systemctl kill -s KILL keepalived');
      await sleep(12_000);
      assert.equal(await serving(pair), old);
      silence(pair, begun, 5);
      assert.equal(
        pair.observed.between(begun).served(pair.other(old).name).length,
        0,
        'the other one has started ZEO',
      );
      await old.ok('systemctl start keepalived');
      await pair.until('somebody serves', (now) => now.answers !== 'none', 60);
      await sleep(20_000);
      const now = await serving(pair);
      if (now !== old) await comesBackAsSlave(pair, old);
      await mayServe(pair, pair.other(now));
    },

    'both serve in a partition; when it heals, the one with the lower term stops': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 5000 });
      await sleep(2000);
      pair.network.partition();
      await pair.until(`${next.name} has taken over`, ({ hosts }) => hosts[next.name]?.zeo === true, 60);
      await sleep(5000);
      pair.network.unite();
      await pair.until(`only ${next.name} serves`, ({ hosts }) => hosts[old.name]?.zeo === false, 60);
      await answers(pair, next);
      await sleep(3000);
      const requests = await visitors.end();
      await comesBackAsSlave(pair, old);
      account(pair, next, requests);
      assertNobodyServedAgainstItsRole(pair, begun);
    },

    'both lose their power after a takeover, and boot: the old master does not serve': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 5000 });
      await sleep(2000);
      await old.power();
      await answers(pair, next);
      await pair.firstCommit(visitors, begun);
      await sleep(2000);
      await next.power();
      const requests = await visitors.end();
      await pair.boot(old, next);
      await answers(pair, next, 120);
      await comesBackAsSlave(pair, old);
      account(pair, next, requests);
      assertNobodyServedAgainstItsRole(pair, begun);
      assert.equal(pair.observed.between(begun + 30).served(old.name).length, 0);
    },
  },
  { manager: 'keepalived' },
);
