import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertLoss, assertNobodyServedAgainstItsRole, failures, phases } from './support/aftermath.js';
import type { Host } from './support/host.js';
import { type Pair, seconds } from './support/pair.js';
import type { Request } from './support/requests.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

async function switchover(pair: Pair, from: Host): Promise<readonly Request[]> {
  const to = pair.other(from);
  const visitors = pair.load({ timeoutMs: 20_000 });
  await sleep(4000);
  const asked = seconds();
  pair.say(await from.ok('/usr/local/lib/syncpozo/switchover', { timeoutMs: 120_000 }));
  await pair.until(`${to.name} answers`, ({ answers }) => answers === to.name, 60);
  await pair.firstCommit(visitors, seconds());
  phases(pair, to, asked);
  await sleep(4000);
  const requests = await visitors.end();
  failures(pair, requests, asked);
  await pair.until(`${from.name} knows`, ({ hosts }) => hosts[from.name]?.role !== 'master', 60);
  await pair.rejoin(from);
  await pair.inStep(from);
  const verdict = account(pair, to, requests);
  assert.equal(verdict.lost.length, 0, 'a planned switchover must lose nothing');
  // The negative control of the other files: this is what a scene without a loss looks like.
  assert.throws(() => assertLoss(verdict), /nothing was lost/);
  await assertSameBytes(pair, to, from);
  assertNobodyServedAgainstItsRole(pair, asked);
  await pair.managed(from);
  return requests;
}

/** The processes of the Zope clients that have answered. */
function processes(requests: readonly Request[]): readonly string[] {
  const named = requests.filter(({ client }) => client !== undefined).map(({ client, pid }) => `${client} ${pid}`);
  return [...new Set(named)].sort();
}

scenes('switchover', {
  'there and back under load: nothing is lost, and no client is restarted': async (pair) => {
    const there = await switchover(pair, pair.m1);
    const back = await switchover(pair, pair.m2);
    const seen = processes([...there, ...back]);
    pair.say(`clients: ${seen.join(', ')}`);
    assert.equal(seen.length, 2, 'a client was restarted');
  },
});
