import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertLoss, assertNobodyServedAgainstItsRole, failures, phases } from './support/aftermath.js';
import { contentOf, lostIn, oldestAge } from './support/oracle.js';
import { seconds } from './support/pair.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

const GHOST = 4711;

scenes('takeover', {
  'the master loses its power under load': async (pair) => {
    const { m1, m2 } = pair;
    const visitors = pair.load({ timeoutMs: 15_000 });
    const hasty = pair.hasty();
    await sleep(5000);
    const cut = await pair.cutPower(m1);
    await pair.firstCommit(hasty, cut);
    await pair.firstCommit(visitors, cut);
    phases(pair, m2, cut);
    await sleep(2000);
    const patient = await visitors.end();
    const requests = [...patient, ...(await hasty.end())];
    failures(pair, patient, cut);
    await pair.comesBack(m1);
    await pair.rejoin(m1);
    await pair.inStep(m1);
    const { lost } = account(pair, m2, requests, cut);
    // A sync each second. Longer than that, and something is wrong with more than this machine's load.
    assert.ok(oldestAge(lost, cut) < 10);
    await assertSameBytes(pair, m2, m1);
    assertNobodyServedAgainstItsRole(pair, cut);
    await pair.managed(m1);
  },

  'a known loss: the clients do not see it, except one that nobody restarts': async (pair) => {
    const { m1, m2 } = pair;
    await m1.ok(`install -d -o zope -g zope /srv/zope/unmanaged
      systemd-run -q --unit=unmanaged --uid=zope /opt/venv/bin/python /opt/site/site.py 192.168.1.10:8100 8081 unmanaged /srv/zope/unmanaged`);
    const [managed, unmanaged] = [`${m1.address}:8080`, `${m1.address}:8081`];
    const ghostOf = async (server: string): Promise<number | undefined> => (await pair.ask('/ghost', { server })).ghost;
    await pair.eventually('the client that nobody manages is up', async () => (await ghostOf(unmanaged)) === 0, 30);
    const visitors = pair.load({ timeoutMs: 15_000 });
    await m1.ok('systemctl stop syncpozo-watch');
    const unsynced = seconds();
    await pair.ask(`/ghost?id=${GHOST}`, { method: 'POST' });
    for (const server of [managed, unmanaged])
      await pair.eventually(`${server} has seen it`, async () => (await ghostOf(server)) === GHOST, 10);
    await sleep(2000);
    const cut = await pair.cutPower(m2);
    await pair.firstCommit(visitors, cut);
    await pair.eventually(`${managed} shows what is served`, async () => (await ghostOf(managed)) === 0, 40);
    await pair.eventually(`${unmanaged} shows a ghost`, async () => (await ghostOf(unmanaged)) === GHOST, 60);
    phases(pair, m1, cut);
    const requests = await visitors.end();
    await m1.ok('systemctl stop unmanaged; systemctl start syncpozo-watch');
    await pair.comesBack(m2);
    await pair.rejoin(m2);
    await pair.inStep(m2);
    const verdict = account(pair, m1, requests, cut);
    assertLoss(verdict);
    const known = requests.filter(({ start, end, tid }) => start > unsynced && end < cut && tid !== undefined);
    const lost = new Set(verdict.lost.map(({ id }) => id));
    assert.deepEqual(
      known.filter(({ id }) => !lost.has(id)).map(({ id }) => id),
      [],
      'written after the last sync, and not lost',
    );
    assert.deepEqual(contentOf(pair.zeoOf(m1)).ghosts, []);
    assert.deepEqual(
      lostIn(pair.zeoOf(m2)).flatMap(({ ghosts }) => ghosts),
      [GHOST],
    );
    await assertSameBytes(pair, m1, m2);
    assertNobodyServedAgainstItsRole(pair, cut);
  },
});
