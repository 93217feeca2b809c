import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { OpenFile } from '../../src/io/open-file.js';
import { runSync } from '../../src/round/run-sync.js';
import { ABORTED } from '../support/hammer.js';
import { type Pair, withPair } from '../support/pair.js';
import { Random } from '../support/random.js';

/** So long at least, and until so many syncs have copied something; on a busy machine the latter takes longer. */
const SECONDS = 3;
const MOST_SECONDS = 90;
const SLOW_MS = 3;

/**
 * Syncs repeatedly while a site in another thread votes, aborts and finishes, until `fewest` syncs have copied something.
 * Returns how many have.
 */
async function syncsBeside(pair: Pair, workers: number, fewest: number): Promise<number> {
  pair.site.close();
  const writer = new Worker(new URL('../support/hammer.js', import.meta.url), { workerData: pair.masterFile });
  const ended = once(writer, 'exit');
  let copied = 0;
  try {
    const { master, slave, statusFile } = pair;
    const began = Date.now();
    const seconds = (): number => (Date.now() - began) / 1000;
    while (seconds() < SECONDS || (copied < fewest && seconds() < MOST_SECONDS)) {
      const sizes = { windowBytes: 4096, chunkBytes: 65_536, batchBytes: 1 << 20 };
      const { exitCode, reason, action } = await runSync({ master, slave, statusFile, ...sizes, workers, scrub: 0 });
      assert.equal(exitCode, 0, reason);
      if (action !== 'none') copied++;
      const bytes = readFileSync(pair.slaveFile);
      assert.ok(!bytes.includes(ABORTED), `nothing of an aborted vote is on the slave, of ${bytes.length} bytes`);
      assert.ok(
        bytes.equals(readFileSync(pair.masterFile).subarray(0, bytes.length)),
        'what is committed stays as it is',
      );
    }
  } finally {
    writer.postMessage('end');
    await ended;
  }
  const { master, slave, statusFile } = pair;
  assert.equal((await runSync({ master, slave, statusFile, scrub: 'full', workers: 0 })).exitCode, 0);
  pair.assertInStep();
  assert.ok(statSync(pair.slaveFile).size > 1 << 20);
  return copied;
}

describe('syncs beside a site that often aborts large votes', () => {
  it('copy finished transactions only, with slow reads that end in any order', (t) =>
    withPair(async (pair) => {
      const random = new Random(5);
      const { readLater } = OpenFile.prototype;
      OpenFile.prototype.readLater = async function (into, length, position) {
        if (length >= 4096) await sleep(random.below(3) * SLOW_MS);
        const count = this.read(into, length, position);
        if (length >= 4096) await sleep(SLOW_MS);
        return count;
      };
      try {
        t.diagnostic(`${await syncsBeside(pair, 0, 1)} syncs copied something`);
      } finally {
        OpenFile.prototype.readLater = readLater;
      }
    }));

  it('and the same with threads, which read several chunks at a time', (t) =>
    withPair(async (pair) => {
      const copied = await syncsBeside(pair, 2, 4);
      t.diagnostic(`${copied} syncs copied something`);
      assert.ok(copied > 3);
    }));
});
