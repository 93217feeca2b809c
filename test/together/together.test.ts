import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../support/random.js';
import { seed } from '../zodb/settings.js';
import { type SiteSettings, TwoStorages } from './two-storages.js';

const SECONDS = 12;

/** Long pauses between the two tpc_finish calls of a commit: often one storage has it and the other does not. */
const DIRECT: SiteSettings = {
  seed,
  zeo: false,
  writers: 1,
  threads: 4,
  pauses: 0.5,
  longest: 0.03,
  rest: 0.1,
  packEvery: 1.5,
};
const BY_ZEO: SiteSettings = { ...DIRECT, zeo: true, writers: 2, threads: 6 };

describe('a site of two storages that is written to all the time', () => {
  for (const [name, settings] of [
    ['by its own process', DIRECT],
    ['by two clients of a ZEO server', BY_ZEO],
  ] as const) {
    it(`${name}: after every round both slaves show one moment`, (t) => roundsTogether(t, settings));
    it(`${name}: synced one after the other, they do not`, (t) => oneAfterTheOther(t, settings));
    it(`${name}: a killed round leaves slaves that ZODB opens, and status knows whether they belong together`, (t) =>
      killedRounds(t, settings));
  }
});

async function roundsTogether(t: TestContext, settings: SiteSettings): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    const actions = new Map<string, number>();
    let rounds = 0;
    let last = 0;
    let slowest = 0;
    for (const until = Date.now() + SECONDS * 1000; Date.now() < until; rounds++) {
      const began = Date.now();
      const { results, moment } = await site.together();
      slowest = Math.max(slowest, Date.now() - began);
      const what = `round ${rounds} (seed ${seed}): ${JSON.stringify(results.map(({ reason }) => reason))}`;
      assert.ok(moment !== undefined, what);
      for (const { action } of results) actions.set(action, (actions.get(action) ?? 0) + 1);
      const { error, differences, total = 0 } = await site.compare();
      assert.deepEqual({ error, differences }, { error: undefined, differences: [] }, what);
      assert.ok(total >= last, what);
      last = total;
      for (const recorded of site.recorded()) assert.equal(recorded.kind, 'together', what);
    }
    assert.ok(actions.has('rebuild'), `no pack fell into ${rounds} rounds`);
    t.diagnostic(`${rounds} rounds, ${last} commits of both, slowest ${slowest} ms, ${JSON.stringify([...actions])}`);
  });
}

/** The negative control: it shows that the test can fail. */
async function oneAfterTheOther(t: TestContext, settings: SiteSettings): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    let rounds = 0;
    let unequal = 0;
    while (unequal === 0 && rounds < 200) {
      await site.eachByItself();
      const { differences = [] } = await site.compare();
      if (differences.length > 0) unequal++;
      rounds++;
    }
    assert.ok(unequal > 0, `the slaves were equal after each of ${rounds} rounds`);
    t.diagnostic(`unequal after ${rounds} rounds`);
  });
}

async function killedRounds(t: TestContext, settings: SiteSettings): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    const random = new Random(Number.parseInt(seed, 10));
    const counts = { killed: 0, together: 0, apart: 0 };
    assert.ok((await site.together()).moment !== undefined);
    for (let round = 0; round < 15; round++) {
      await sleep(random.below(200));
      const wasKilled = await site.killedAfter(random.below(150));
      const { error, differences } = await site.compare(true);
      const what = `round ${round} (seed ${seed})`;
      assert.equal(error, undefined, what);
      const isTogether = site.recorded().every(({ kind }) => kind === 'together');
      if (isTogether) assert.deepEqual(differences, [], what);
      counts[isTogether ? 'together' : 'apart']++;
      if (wasKilled) counts.killed++;
      if (round % 5 === 4) {
        const { results, moment } = await site.together();
        assert.ok(moment !== undefined, `${what}: ${JSON.stringify(results.map(({ reason }) => reason))}`);
        assert.deepEqual((await site.compare()).differences, [], what);
      }
    }
    assert.ok(counts.killed > 0, 'no round was killed');
    t.diagnostic(JSON.stringify(counts));
  });
}
