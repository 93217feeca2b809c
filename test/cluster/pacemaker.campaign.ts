import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertNobodyServedAgainstItsRole, failures, phases } from './support/aftermath.js';
import { answers, serving, silence } from './support/elected-host.js';
import { Fencing } from './support/fencing.js';
import type { Host } from './support/host.js';
import type { Network } from './support/network.js';
import { oldestAge } from './support/oracle.js';
import { promotable, scoreOf, startPacemaker } from './support/pacemaker.js';
import { type Pair, seconds } from './support/pair.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/**
 * The cluster with Pacemaker: corosync, fencing that really kills, the agent, a site under load. Each scene begins with a host that
 * serves and a standby that can be promoted, and ends so. A machine that has other work to do is slower than a host: the limits are
 * generous, and the times are printed.
 */

let fencing: Fencing | undefined;
let tested = '';

async function prepare(network: Network): Promise<void> {
  const [m1, m2] = network.hosts;
  assert.ok(m1 && m2);
  fencing = new Fencing(network, [m1, m2]);
  await fencing.install();
  const agent = '/usr/lib/ocf/resource.d/syncpozo/zeo';
  tested = (await m1.inside(`ocf-tester -n zeo ${agent}`, { timeoutMs: 300_000 })).output;
  await startPacemaker([m1, m2]);
}

/** A side that has nothing of its own may have become a slave by itself. */
async function comesBack(pair: Pair, host: Host): Promise<void> {
  const [name, other] = [host.name, pair.other(host)];
  const known = new Set(['superseded', 'slave']);
  await pair.until(`${name} does not call itself master`, ({ hosts }) => known.has(hosts[name]?.role ?? ''), 90);
  if (pair.observed.samples.at(-1)?.hosts[name]?.role === 'superseded') {
    await pair.eventually(`${name} has no score`, async () => (await scoreOf(other, host)) === undefined, 60);
    await pair.rejoin(host);
  }
  await promotable(pair, other, host);
}

scenes(
  'pacemaker',
  {
    'the installed agent passes ocf-tester': async (pair) => {
      assert.match(tested, /passed all tests/, tested);
      await pair.m1.ok('crm_verify -L');
      await promotable(pair, pair.m1, pair.m2);
    },

    'the master loses its power under load': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const visitors = pair.load({ timeoutMs: 30_000 });
      const hasty = pair.hasty();
      await sleep(5000);
      const cut = seconds();
      await old.power();
      await answers(pair, next);
      await pair.firstCommit(hasty, cut);
      phases(pair, next, cut);
      silence(pair, cut, 30);
      await sleep(2000);
      const patient = await visitors.end();
      const requests = [...patient, ...(await hasty.end())];
      failures(pair, patient, cut);
      assert.equal(fencing?.shots.at(-1)?.host, old.name, 'it takes over only from a host that was fenced');
      await pair.boot(old);
      await comesBack(pair, old);
      const { lost } = account(pair, next, requests, cut);
      assert.ok(oldestAge(lost, cut) < 10);
      await assertSameBytes(pair, next, old);
      assertNobodyServedAgainstItsRole(pair, cut);
    },

    'a host that was superseded is never promoted, also when it is the only one': async (pair) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const visitors = pair.load({ timeoutMs: 30_000 });
      await sleep(3000);
      await old.power();
      await answers(pair, next);
      await sleep(3000);
      const requests = await visitors.end();
      await pair.boot(old);
      await pair.until('it is superseded', ({ hosts }) => hosts[old.name]?.role === 'superseded', 90);
      await pair.eventually('it is a member', async () => (await old.inside('crm_mon -1')).status === 0, 60);
      const alone = seconds();
      await next.power();
      await sleep(20_000);
      assert.equal(pair.observed.between(alone).served(old.name).length, 0);
      await pair.boot(next);
      await answers(pair, next, 90);
      await comesBack(pair, old);
      account(pair, next, requests);
      assertNobodyServedAgainstItsRole(pair, alone);
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
      const off = seconds();
      await pair.boot(old, next);
      const up = seconds();
      await answers(pair, next, 120);
      phases(pair, next, up);
      assert.equal(pair.observed.between(off).served(old.name).length, 0);
      await comesBack(pair, old);
      account(pair, next, requests);
      assertNobodyServedAgainstItsRole(pair, begun);
    },

    'a planned switchover there and back loses nothing': async (pair) => {
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 30_000 });
      await sleep(3000);
      for (let times = 0; times < 2; times++) {
        const from = await serving(pair);
        const to = pair.other(from);
        const asked = seconds();
        await from.ok('/usr/local/lib/syncpozo/switchover', { timeoutMs: 120_000 });
        await answers(pair, to);
        await pair.firstCommit(visitors, asked);
        phases(pair, to, asked);
        silence(pair, asked, 30);
        await comesBack(pair, from);
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
      // The brackets keep pkill from finding the shell that calls it.
      await old.ok('pkill -KILL -f [/]opt/venv/bin/runzeo');
      await sleep(8000);
      assert.equal(await serving(pair), old);
      const killed = seconds();
      await old.ok('pkill -KILL -f [/]opt/venv/bin/zeoctl; pkill -KILL -f [/]opt/venv/bin/runzeo');
      await answers(pair, next, 90);
      await pair.firstCommit(visitors, killed);
      phases(pair, next, killed);
      silence(pair, killed, 40);
      await comesBack(pair, old);
      // Nobody has cut the network: what the dead ZEO had acknowledged could be read.
      assert.equal(account(pair, next, await visitors.end(), begun).lost.length, 0);
    },

    'in a partition one host fences the other one, and serves alone; mostly it is the one that has served': async (
      pair,
    ) => {
      const old = await serving(pair);
      const next = pair.other(old);
      const begun = seconds();
      const visitors = pair.load({ timeoutMs: 5000 });
      await sleep(2000);
      pair.network.partition();
      await pair.until('one host is off', ({ hosts }) => Object.values(hosts).some(({ alive }) => !alive), 60);
      await sleep(5000);
      // The other one is a second late, but for a host that has to be elected first.
      const winner = pair.observed.samples.at(-1)?.hosts[old.name]?.alive === true ? old : next;
      const loser = pair.other(winner);
      pair.say(`${winner.name} has won, and ${old.name} had served`);
      await pair.until(`${winner.name} answers`, ({ answers }) => answers === winner.name, 60);
      assert.equal(fencing?.shots.at(-1)?.host, loser.name);
      assert.equal(pair.observed.between(begun).bothServed().length, 0);
      pair.network.unite();
      await pair.boot(loser);
      await comesBack(pair, loser);
      const { lost } = account(pair, winner, await visitors.end(), begun);
      if (winner === old) assert.equal(lost.length, 0);
    },
  },
  { manager: 'pacemaker', prepare },
);
