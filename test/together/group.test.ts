import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTid } from '../../src/filestorage/tid.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { SILENT } from '../../src/report/log.js';
import { runSync, type SyncOptions, type SyncResult } from '../../src/round/run-sync.js';
import { runTogether, type TogetherResult } from '../../src/round/together.js';
import { slavePaths } from '../../src/standby/paths.js';
import { togethernessOf } from '../../src/standby/together-file.js';
import { syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { Pair } from '../support/pair.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

/** Two storages of a site that are in step. */
class Two {
  readonly pairs: readonly [Pair, Pair];

  constructor(directory: string) {
    const made = ['main', 'catalog'].map((name) => {
      mkdirSync(join(directory, name));
      return new Pair(join(directory, name));
    });
    this.pairs = [made[0]!, made[1]!];
  }

  get members(): readonly SyncOptions[] {
    return this.pairs.map(({ master, slave, statusFile }) => ({ master, slave, statusFile }));
  }

  commit(...texts: string[]): void {
    for (const pair of this.pairs) pair.commit(...texts);
  }

  together(): Promise<TogetherResult> {
    return runTogether(this.members, SILENT);
  }

  get slaves(): readonly Buffer[] {
    return this.pairs.map(({ slaveFile }) => readFileSync(slaveFile));
  }

  assertInStep(): void {
    for (const { site, masterFile, slaveFile } of this.pairs)
      assert.ok(readFileSync(masterFile).subarray(0, site.committedEnd).equals(readFileSync(slaveFile)));
  }

  /** What is recorded beside each slave. */
  get recorded(): readonly string[] {
    return this.pairs.map(({ slave }) => togethernessOf(slavePaths(slave, undefined)).kind);
  }
}

async function withTwo(use: (two: Two) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const two = new Two(directory);
    const { results, moment } = await two.together();
    assert.deepEqual([moment !== undefined, ...results.map(({ action }) => action)], [true, 'full', 'full']);
    two.assertInStep();
    await use(two);
  });
}

function status(pair: Pair): string {
  return syncpozo(['status', pair.slave, '--status-file', pair.statusFile]).stdout;
}

/** The catalog comes to nothing; main must stay what it was. */
async function assertHeldBack(two: Two, exits: readonly [number, number], what: RegExp): Promise<void> {
  const before = two.slaves;
  const { results, moment } = await two.together();
  assert.equal(moment, undefined);
  assert.deepEqual(
    results.map(({ exitCode }) => exitCode),
    exits,
    JSON.stringify(results.map(({ reason }) => reason)),
  );
  assert.match(results[0]!.reason, what);
  assert.ok(two.slaves[0]!.equals(before[0]!), 'main was advanced');
}

describe('the storages of a group', () => {
  it('are advanced together, and it is recorded beside each of them', async () => {
    await withTwo(async (two) => {
      assert.deepEqual(two.recorded, ['together', 'together']);
      two.commit('changed', 'on both');
      two.pairs[0].commit('on main alone');
      const { results, moment } = await two.together();
      assert.ok(moment !== undefined && Math.abs(Date.now() - moment) < 60_000);
      assert.deepEqual(
        results.map(({ action, exitCode }) => [action, exitCode]),
        [
          ['append', 0],
          ['append', 0],
        ],
      );
      two.assertInStep();
      assert.deepEqual(two.recorded, ['together', 'together']);
    });
  });

  it('are not together any more when one is synced by itself, until the next round', async () => {
    await withTwo(async (two) => {
      const [main, catalog] = two.pairs;
      assert.match(status(main), new RegExp(`^together: +as of .*Z: ${main.slaveFile}, ${catalog.slaveFile}$`, 'm'));
      const before = formatTid(main.site.lastTid);
      two.commit('changed');
      await runSync(two.members[0]!);
      assert.deepEqual(two.recorded, ['apart', 'apart']);
      const moved = `${main.slaveFile} ended at ${before} then, and ends at ${formatTid(main.site.lastTid)} now`;
      for (const pair of two.pairs)
        assert.match(status(pair), new RegExp(`^together: +NOT TOGETHER any more since .*Z: ${moved}$`, 'm'));
      const { results } = await two.together();
      assert.deepEqual(
        results.map(({ action }) => action),
        ['none', 'append'],
      );
      assert.deepEqual(two.recorded, ['together', 'together']);
    });
  });

  it('wait for each other through the rebuild after a pack', async () => {
    await withTwo(async (two) => {
      two.commit('changed');
      two.pairs[1].site.pack();
      two.pairs[0].commit('once more');
      const { results, moment } = await two.together();
      assert.ok(moment !== undefined);
      assert.deepEqual(
        results.map(({ action }) => action),
        ['append', 'rebuild'],
      );
      two.assertInStep();
    });
  });

  it('wait until a commit in flight is finished', async () => {
    await withTwo(async (two) => {
      const [main, catalog] = two.pairs;
      main.commit('in both');
      catalog.site.vote(catalog.site.pages(new Map([[1, 'in both']])));
      const round = two.together();
      await sleep(300);
      catalog.site.finish();
      assert.ok((await round).moment !== undefined);
      two.assertInStep();
    });
  });

  it('are left alone if a commit stays in flight: its other part may be finished', async () => {
    await withTwo(async (two) => {
      const [main, catalog] = two.pairs;
      main.commit('in both');
      catalog.site.vote(catalog.site.pages(new Map([[1, 'in both']])));
      await assertHeldBack(two, [1, 1], /no moment was found in 10 s .*catalog/);
    });
  });

  it('are left alone if a master is damaged at its end, which is not called a commit in flight', async () => {
    await withTwo(async (two) => {
      two.commit('the next page');
      const { masterFile } = two.pairs[1];
      const bytes = readFileSync(masterFile);
      writeFileSync(masterFile, bytes.fill(0xff, bytes.length - 8));
      const what = /no moment was found .* committing; without a complete transaction at the end: \S*catalog\S*$/;
      await assertHeldBack(two, [1, 1], what);
    });
  });

  it('are left alone if a master is out of reach', async () => {
    await withTwo(async (two) => {
      two.commit('changed');
      renameSync(two.pairs[1].masterFile, `${two.pairs[1].masterFile}.away`);
      await assertHeldBack(two, [1, 1], /not advanced, because .*catalog.*out of reach/);
    });
  });

  it('are left alone if a master is damaged', async () => {
    await withTwo(async (two) => {
      two.commit('changed');
      const [, catalog] = two.pairs;
      const from = catalog.site.committedEnd;
      catalog.commit('first', 'second', 'third');
      const bytes = readFileSync(catalog.masterFile);
      bytes.fill(0xff, from + 60, from + 64);
      writeFileSync(catalog.masterFile, bytes);
      const slave = readFileSync(catalog.slaveFile);
      await assertHeldBack(two, [1, 4], /not advanced, because .*catalog.*damaged/);
      assert.ok(readFileSync(catalog.slaveFile).equals(slave), 'the catalog was advanced');
    });
  });

  it('are left alone if a slave has grown', async () => {
    await withTwo(async (two) => {
      two.pairs[1].commitToSlave('only here');
      two.commit('changed');
      await assertHeldBack(two, [1, 3], /not advanced, because .*catalog.*has grown/);
    });
  });

  it('are left alone if a master was rolled back', async () => {
    await withTwo(async (two) => {
      two.commit('changed');
      const [, catalog] = two.pairs;
      const last = catalog.site.transactions.at(-1)!;
      await runSync(two.members[1]!);
      truncateSync(catalog.masterFile, last.position);
      await assertHeldBack(two, [1, 3], /not advanced, because .*catalog/);
    });
  });

  it('are left alone if one is switched off, or in use, or being synced', async () => {
    await withTwo(async (two) => {
      const [, catalog] = two.pairs;
      two.commit('changed');
      writeFileSync(catalog.statusFile, 'SYNCING=0\n');
      await assertHeldBack(two, [0, 0], /not advanced, because .*SYNCING=0/);
      writeFileSync(catalog.statusFile, 'SYNCING=1\n');
      await heldByOther(catalog, ' PID\n', () => assertHeldBack(two, [1, 5], /not advanced, because .*catalog/));
      await heldByOther(catalog, 'syncpozo', () => assertHeldBack(two, [0, 0], /another sync is at work on it/));
      assert.ok((await two.together()).moment !== undefined);
      two.assertInStep();
    });
  });

  it('are left alone if a signal ends the round while they wait', async () => {
    await withTwo(async (two) => {
      const [main, catalog] = two.pairs;
      main.commit('changed');
      catalog.site.vote(catalog.site.pages(new Map([[1, 'changed']])));
      const before = two.slaves;
      const ending = new AbortController();
      const members = two.members.map((member) => ({ ...member, deadline: new ReadDeadline(30, ending.signal) }));
      const round = runTogether(members, SILENT);
      await sleep(200);
      ending.abort();
      const { results, moment } = await round;
      assert.equal(moment, undefined);
      assert.deepEqual(
        results.map(({ exitCode }) => exitCode),
        [1, 1],
      );
      assert.ok(two.slaves.every((slave, index) => slave.equals(before[index]!)));
    });
  });

  it('report what a round would do, and write nothing', async () => {
    await withTwo(async (two) => {
      two.commit('changed');
      const before = two.slaves;
      const members = two.members.map((member) => ({ ...member, dryRun: true }));
      const program = inProject('dist', 'test', 'together', 'one-round.js');
      // In a process of its own: this one has its name in the lock files.
      const { stdout } = spawnSync(process.execPath, [program, JSON.stringify(members)], { encoding: 'utf8' });
      const results = JSON.parse(stdout.split('\n')[1] ?? '') as readonly SyncResult[];
      assert.deepEqual(
        results.map(({ action, exitCode }) => [action, exitCode]),
        [
          ['append', 0],
          ['append', 0],
        ],
      );
      assert.ok(two.slaves.every((slave, index) => slave.equals(before[index]!)));
    });
  });
});
