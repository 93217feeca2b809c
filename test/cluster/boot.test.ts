import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertLoss, assertNobodyServedAgainstItsRole, phases } from './support/aftermath.js';
import { contentOf, judge } from './support/oracle.js';
import { type Pair, seconds } from './support/pair.js';
import type { Request } from './support/requests.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/** How long a host is watched that must not serve. */
const WATCHED_MS = 12_000;

let cut = 0;
let requests: readonly Request[] = [];

/** m2, which was promoted last, must serve; how the two got there is over. */
async function m2Serves(pair: Pair, from: number): Promise<void> {
  await pair.until('m2 answers', ({ answers }) => answers === 'm2', 90);
  phases(pair, pair.m2, from);
  await sleep(2000);
  const served = pair.observed.between(from).served('m1');
  assert.deepEqual(served, [], 'm1 must not have served');
}

scenes('boot', {
  'a superseded host whose peer dies does not serve its old data': async (pair) => {
    const { m1, m2 } = pair;
    const visitors = pair.load({ timeoutMs: 15_000 });
    await sleep(2000);
    cut = await pair.cutPower(m1);
    await pair.firstCommit(visitors, cut);
    phases(pair, m2, cut);
    await sleep(1000);
    requests = await visitors.end();
    await pair.comesBack(m1);
    const alone = await pair.cutPower(m2);
    await sleep(WATCHED_MS);
    const observed = pair.observed.between(alone + 1);
    assert.deepEqual(observed.served('m1'), [], 'old data were served');
    assert.ok(observed.samples.every(({ answers }) => answers === 'none'));
    pair.say('nobody serves, and no old data');
  },

  'without the guard, the oracle sees the old data': async (pair) => {
    const { m1 } = pair;
    const from = seconds();
    await m1.ok(`systemctl stop syncpozo-guard
      runuser -u zope -- /srv/zeo/bin/zeoctl start
      ip address add 192.168.1.10/24 dev eth0
      /usr/libexec/heartbeat/send_arp -i 200 -r 3 -p /run/send_arp eth0 192.168.1.10 auto not_used not_used`);
    await pair.until('m1 serves', ({ answers }) => answers === 'm1', 30);
    await sleep(1000);
    const spans = pair.observed.between(from).servedAgainstItsRole();
    assert.equal(spans[0]?.host, 'm1', 'the observer must see it');
    const { missing } = judge(requests, contentOf(pair.zeoOf(m1)), []);
    assert.ok(missing.length > 0, 'the oracle must see it');
    pair.say(`a person without the guard: ${missing.length} acknowledged writes are not served`);
    await m1.ok(`ip address delete 192.168.1.10/24 dev eth0
      runuser -u zope -- /srv/zeo/bin/zeoctl stop
      systemctl start syncpozo-guard`);
    await pair.until('m1 is down', ({ hosts }) => hosts['m1']?.zeo === false, 30);
  },

  'both boot after a takeover: the host that served last serves': async (pair) => {
    const { m1, m2 } = pair;
    let from = seconds();
    await pair.boot(m2);
    await m2Serves(pair, from);
    for (const [what, first, then] of [
      ['m1 first', m1, m2],
      ['m2 first', m2, m1],
    ] as const) {
      for (const host of [m1, m2]) await pair.cutPower(host);
      pair.say(`both boot, ${what}`);
      from = seconds();
      await pair.boot(first);
      await sleep(4000);
      await pair.boot(then);
      await m2Serves(pair, from);
    }
    for (const host of [m1, m2]) await pair.cutPower(host);
    pair.say('both boot at once');
    from = seconds();
    await pair.boot(m1, m2);
    await m2Serves(pair, from);
    await pair.siteAnswers(m2);
    await pair.rejoin(m1);
    await pair.inStep(m1);
    assertLoss(account(pair, m2, requests, cut));
    await assertSameBytes(pair, m2, m1);
    assertNobodyServedAgainstItsRole(pair, from);
  },
});
