import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { needsMounts } from '../support/powers.js';
import { SmallDisk } from '../support/small-disk.js';
import { committed, SCENES, syncHere } from './scene.js';

const needsLimits =
  spawnSync('prlimit', ['--fsize=1048576', 'true']).status === 0 ? undefined : 'needs prlimit of util-linux';
const PAGE = 4096;
const ENOUGH = 1 << 20;
const append = SCENES[0]!;

/** Runs the command with files limited to `bytes`; the kernel truncates a write there. */
function withLargestFile(bytes: number): string[] {
  return ['prlimit', `--fsize=${bytes}`];
}

async function assertRepairs(pair: Pair): Promise<void> {
  const next = await syncHere(pair);
  assert.equal(next.exitCode, 0, next.reason);
  pair.assertInStep();
  assert.equal((await syncHere(pair)).action, 'none');
}

describe('a file size limit', { skip: needsLimits ?? false }, () => {
  it('that truncates a write, wherever, is a fault that leaves the slave unchanged', async (t) => {
    let runs = 0;
    for (const part of [0, 0.01, 0.3, 0.7, 0.999]) {
      await withPair(async (pair) => {
        await append.prepare(pair);
        const shown = committed(pair.slaveFile);
        const limit = shown.length + Math.floor((pair.site.committedEnd - shown.length) * part);
        const run = syncpozo(pair.syncArgs(...append.args), { through: withLargestFile(limit) });
        assertEnd(run, { exit: 1, action: 'failed', reason: /^write .*Data\.fs at \d+: .*\(EFBIG\)$/ });
        assert.equal(Number(/ at (\d+):/.exec(run.json.reason)?.[1]) >= shown.length, true);
        assert.deepEqual(committed(pair.slaveFile), shown);
        await assertRepairs(pair);
        runs++;
      });
    }
    t.diagnostic(`${runs} limits`);
  });

  it('in a first copy leaves no slave, not even a partial one', async () => {
    await withPair(async (pair) => {
      const limit = Math.floor(pair.site.committedEnd / 2);
      const run = syncpozo(pair.syncArgs(), { through: withLargestFile(limit) });
      assertEnd(run, { exit: 1, action: 'failed', reason: /^write .*Data\.fs\.new at \d+: .*\(EFBIG\)$/ });
      assert.deepEqual(listing(pair.slave), []);
      await assertRepairs(pair);
    });
  });
});

describe('a small file system', { skip: needsMounts ?? false }, () => {
  it('of any free space: an append succeeds, or is a fault that leaves the slave unchanged', (t) =>
    withPair(async (pair) => {
      const disk = await SmallDisk.make(join(pair.directory, 'disk'), ENOUGH);
      const sync = () => syncpozo(['sync', pair.master, disk.mount, '--json', '--status-file', pair.statusFile], disk);
      const slave = join(disk.view, 'Data.fs');
      const ends = { done: 0, failed: 0 };
      try {
        assertEnd(sync(), { exit: 0 });
        for (let pages = 0; pages < 10; pages++) {
          const before = readFileSync(slave);
          pair.commit('x'.repeat(2 * PAGE), 'y'.repeat(2 * PAGE));
          disk.leave(pages * PAGE);
          const run = sync();
          if (run.exit === 0) ends.done++;
          else {
            ends.failed++;
            assertEnd(run, { exit: 1, action: 'failed', reason: /\(ENOSPC\)$/, hint: /make room/ });
            const shown = committed(slave);
            assert.ok(shown.equals(before) || shown.equals(committed(pair.masterFile)), 'before or after');
          }
          disk.leave(ENOUGH);
          assertEnd(sync(), { exit: 0 });
          assert.equal(statSync(slave).size, pair.site.committedEnd);
          assertEnd(sync(), { exit: 0, action: 'none' });
        }
      } finally {
        await disk.remove();
      }
      t.diagnostic(`${ends.failed} runs without enough room, ${ends.done} with`);
      assert.ok(ends.failed > 0 && ends.done > 0, 'both were met');
    }));
});
