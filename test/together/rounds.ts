import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../support/random.js';
import { type SiteSettings, TwoStorages } from './two-storages.js';

/** Why a round may come to nothing: commits without a pause, or packs. */
const NOTHING_DONE = /no moment was found|was exchanged for another file/;

/** `mostMissed`: the largest part of the rounds that may come to nothing. */
export async function roundsTogether(
  t: TestContext,
  settings: SiteSettings,
  seconds: number,
  mostMissed = 0,
): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    const actions = new Map<string, number>();
    let rounds = 0;
    let missed = 0;
    let last = 0;
    let slowest = 0;
    let milliseconds = 0;
    for (const until = Date.now() + seconds * 1000; Date.now() < until; rounds++) {
      const began = Date.now();
      const { results, moment } = await site.together();
      slowest = Math.max(slowest, Date.now() - began);
      milliseconds += Date.now() - began;
      const what = `round ${rounds} (seed ${settings.seed}): ${JSON.stringify(results.map(({ reason }) => reason))}`;
      if (moment === undefined) {
        // The slaves stay at the last one.
        for (const { exitCode, reason } of results)
          assert.deepEqual([exitCode, NOTHING_DONE.test(reason)], [1, true], what);
        missed++;
        if (actions.size === 0) continue;
      }
      for (const { action } of moment === undefined ? [] : results) actions.set(action, (actions.get(action) ?? 0) + 1);
      const { error, differences, total = 0 } = await site.compare();
      assert.deepEqual({ error, differences }, { error: undefined, differences: [] }, what);
      assert.ok(total >= last, what);
      last = total;
      for (const recorded of site.recorded()) assert.equal(recorded.kind, 'together', what);
    }
    assert.ok(mostMissed >= missed / rounds, `${missed} of ${rounds} rounds came to nothing`);
    if (mostMissed === 0) assert.ok(actions.has('rebuild'), `no pack fell into ${rounds} rounds`);
    t.diagnostic(
      `${rounds} rounds, ${missed} in vain, ${last} commits of both, a round ${Math.round(milliseconds / rounds)} ms, the slowest ${slowest} ms, ${JSON.stringify([...actions])}`,
    );
  });
}

/** The negative control: it shows that the test can fail. */
export async function oneAfterTheOther(t: TestContext, settings: SiteSettings): Promise<void> {
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

/** A watch of the group, ended again and again: whenever its last round was complete, the slaves show one moment. */
export async function watchedRounds(t: TestContext, settings: SiteSettings, times: number): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    let [together, rounds, time] = [0, 0, 0];
    // A busy machine has fewer rounds in the same time.
    const until = Date.now() + 90_000;
    for (; time < times || (Date.now() < until && (together === 0 || rounds <= times)); time++) {
      const run = await site.watched(2500);
      const what = `watch ${time} (seed ${settings.seed}): ${run.all}`;
      assert.equal(run.exit, 0, what);
      rounds += run.stdout.split('\n').filter((line) => line.includes('"action":"append"')).length;
      const { error, differences } = await site.compare(true);
      assert.equal(error, undefined, what);
      if (!site.recorded().every(({ kind }) => kind === 'together')) continue;
      assert.deepEqual(differences, [], what);
      together++;
    }
    assert.ok(together > 0 && rounds > times, `${together} of ${time} together, ${rounds} rounds`);
    t.diagnostic(`${together} of ${time} ended together, after ${rounds} rounds`);
  });
}

export async function killedRounds(t: TestContext, settings: SiteSettings, mostRounds: number): Promise<void> {
  await TwoStorages.whileWritten(settings, async (site) => {
    const random = new Random(Number.parseInt(settings.seed, 10));
    const counts = { killed: 0, together: 0, apart: 0 };
    assert.ok((await site.together()).moment !== undefined);
    for (let round = 0; round < mostRounds; round++) {
      await sleep(random.below(200));
      const wasKilled = await site.killedAfter(random.below(150));
      const { error, differences } = await site.compare(true);
      const what = `round ${round} (seed ${settings.seed})`;
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
