import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertAddresses } from './plone/addresses.js';
import { assertShown } from './plone/crawl.js';
import { environment } from './plone/environment.js';
import { PloneLoad } from './plone/load.js';
import { ploneSite } from './plone/site.js';
import { accountOfPlone, type Expected, expectations } from './plone/verdict.js';
import { isAcknowledged, isWrite, type Visit, type Write } from './plone/visits.js';
import { assertNobodyServedAgainstItsRole, failures, phases } from './support/aftermath.js';
import { serving, wayBack } from './support/course.js';
import type { Host } from './support/host.js';
import { type Pair, seconds } from './support/pair.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/**
 * The cluster with a real Plone: editors write by plone.restapi, readers read, through the balancer of the floating address. After each
 * scene everything that was acknowledged is looked for by stock ZODB, and shown by the site.
 */
const LONGEST_START = 180;

/** Of all scenes so far. */
const visits: Visit[] = [];

/** The processes of the Zope clients. */
function clients(...hosts: readonly Host[]): Promise<readonly string[]> {
  return Promise.all(hosts.map((host) => host.ok('systemctl show -P MainPID zope')));
}

/** Waits until so many writes that were begun from now on are acknowledged, an uploaded file among them. */
async function written(pair: Pair, load: PloneLoad, count: number): Promise<void> {
  const from = seconds();
  await pair.eventually(
    `${count} writes are acknowledged`,
    async () => {
      const since = load.acknowledged().filter(({ start }) => start > from);
      return since.length >= count && since.some(({ sha256 }) => sha256 !== undefined);
    },
    LONGEST_START,
  );
}

/** Stops the visitors, and says how it went for them. */
async function noted(pair: Pair, load: PloneLoad, moment: number): Promise<readonly Visit[]> {
  const all = await load.end();
  visits.push(...all);
  failures(pair, all, moment);
  const wrong = all.filter(
    (visit) => visit.named !== undefined && visit.named !== `http://www.example.org${visit.path}`,
  );
  assert.deepEqual(wrong, [], 'Plone named a new item by another address');
  return all;
}

async function bothAnswer(pair: Pair): Promise<void> {
  for (const host of pair.network.hosts) await pair.siteAnswers(host, LONGEST_START);
}

/** The host that was superseded is the standby again, and all is where it has to be. What was acknowledged after `since` and is lost. */
async function settled(pair: Pair, to: Host, since: number, cut?: number): Promise<readonly Write[]> {
  await wayBack(pair, pair.other(to));
  const { lost, expected } = accountOfPlone(pair, to, visits, cut);
  await assertSameBytes(pair, to, pair.other(to));
  await bothAnswer(pair);
  await assertShown(pair, expected);
  assertNobodyServedAgainstItsRole(pair, since);
  return lost.filter(({ end }) => end > since);
}

async function switchover(pair: Pair): Promise<void> {
  const from = serving(pair);
  const to = pair.other(from);
  const before = await clients(pair.m1, pair.m2);
  const began = seconds();
  const load = new PloneLoad(pair);
  await written(pair, load, 12);
  const asked = seconds();
  pair.say(await from.ok('/usr/local/lib/syncpozo/switchover', { timeoutMs: 120_000 }));
  await pair.until(`${to.name} answers`, ({ answers }) => answers === to.name, 60);
  await pair.firstCommit(load, seconds(), LONGEST_START);
  phases(pair, to, asked);
  await written(pair, load, 12);
  await noted(pair, load, asked);
  assert.deepEqual(await settled(pair, to, began), [], 'a planned switchover must lose nothing');
  assert.deepEqual(await clients(pair.m1, pair.m2), before, 'a client was restarted');
}

const made = environment();

scenes(
  'plone',
  {
    'the master loses its power under load': async (pair) => {
      const from = serving(pair);
      const to = pair.other(from);
      const began = seconds();
      const load = new PloneLoad(pair);
      await written(pair, load, 20);
      const before = await clients(to);
      // A loss that is certain, uploaded files among it.
      await to.ok('systemctl stop syncpozo-watch');
      await written(pair, load, 12);
      const cut = await pair.cutPower(from);
      await pair.firstCommit(load, cut, LONGEST_START);
      phases(pair, to, cut);
      await written(pair, load, 12);
      await noted(pair, load, cut);
      assert.notDeepEqual(await clients(to), before, 'the client was not restarted');
      await to.ok('systemctl start syncpozo-watch');
      await pair.boot(from);
      const lost = await settled(pair, to, began, cut);
      assert.ok(
        lost.some(({ sha256 }) => sha256 !== undefined),
        'no file was lost: this scene proves nothing',
      );
    },

    'the addresses of the site are right behind the floating address': assertAddresses,

    'both Zopes are restarted, and their first pages take their time: nothing moves': async (pair) => {
      const host = serving(pair);
      const apache = await host.ok('systemctl show -P MainPID apache2');
      const { term } = pair.observed.samples.at(-1)!.hosts[host.name]!;
      await Promise.all(pair.network.hosts.map((each) => each.ok('systemctl stop zope')));
      // Slower than any Plone: what the guard does happens after 5 and 11 s.
      await sleep(20_000);
      await Promise.all(pair.network.hosts.map((each) => each.ok('systemctl start zope')));
      await bothAnswer(pair);
      assert.equal(await host.ok('systemctl show -P MainPID apache2'), apache, 'Apache was restarted');
      assert.equal(pair.observed.samples.at(-1)?.hosts[host.name]?.term, term);
      assert.equal(serving(pair).name, host.name);
    },

    'control: the judges find a write that is nowhere, and what is shown otherwise than it should be': async (pair) => {
      const host = serving(pair);
      const forged: Visit = { ...visits.find(isAcknowledged)!, id: 1, path: '/writer-0/forged' };
      assert.throws(() => accountOfPlone(pair, host, [...visits, forged]), /neither on/);
      const { expected } = accountOfPlone(pair, host, visits);
      const file = expected.find(({ id, sha256 }) => id !== null && sha256 !== null)!;
      const other = expected.map((item) => (item === file ? { ...item, sha256: 'another' } : item));
      await assert.rejects(assertShown(pair, other), /shows something else/);
      const gone = expected.map((item) => (item === file ? { ...item, id: null } : item));
      await assert.rejects(assertShown(pair, gone), /shows something else/);
    },

    'a planned switchover there and back under load: nothing is lost, and no client is restarted': async (pair) => {
      await switchover(pair);
      await switchover(pair);
    },

    'a pack under load, and a takeover after it': async (pair) => {
      const from = serving(pair);
      const to = pair.other(from);
      const { expected: known } = accountOfPlone(pair, from, visits);
      const load = new PloneLoad(pair);
      await written(pair, load, 12);
      const began = seconds();
      const size = await from.ok('stat -c %s /srv/zeo/var/Data.fs');
      pair.say(await from.ok('/opt/plone/bin/zeopack -h 127.0.0.1 -p 8100 -d 0', { timeoutMs: 300_000 }));
      pair.say(`packed: ${size} bytes, then ${await from.ok('stat -c %s /srv/zeo/var/Data.fs')}`);
      await written(pair, load, 12);
      const packed = await noted(pair, load, began);
      await pair.inStep(to);
      await assertSameBytes(pair, from, to);
      const changed = expectations(packed.filter(isWrite), isAcknowledged);
      const expected: readonly Expected[] = [...known, ...changed];
      await assertShown(pair, expected);

      const later = new PloneLoad(pair);
      await written(pair, later, 12);
      const cut = await pair.cutPower(from);
      await pair.firstCommit(later, cut, LONGEST_START);
      await written(pair, later, 12);
      const last = await noted(pair, later, cut);
      await pair.boot(from);
      await wayBack(pair, from);
      const verdict = accountOfPlone(pair, to, last, cut);
      await assertSameBytes(pair, to, from);
      await bothAnswer(pair);
      await assertShown(pair, [...expected, ...verdict.expected]);
      assertNobodyServedAgainstItsRole(pair, began);
    },
  },
  'folder' in made ? { site: ploneSite(made.folder) } : { skip: made.reason },
);
