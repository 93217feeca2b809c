import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { runPromote } from '../../src/commands/promote.js';
import { recordPositions } from '../../src/filestorage/encode.js';
import type { ChunkLine } from '../../src/standby/dat.js';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { datOf, flipBits, manyChunks, syncAndScrub } from '../support/rot.js';
import { IndexJudge } from './index-judge.js';
import { Judge } from './judge.js';

/** Every run that appends refreshes the index. */
const EAGER = { indexLagBytes: 1 };
/** An ordinary run does not probe it: neither at the head of the file nor near its end. */
const OLD = 150_000;

/** The transactions of an old chunk, at least three. */
function oldTransactions(pair: Pair): {
  readonly chunk: ChunkLine;
  readonly transactions: Pair['site']['transactions'];
} {
  const chunk = datOf(pair).chunks.find(({ start }) => start > OLD)!;
  const transactions = pair.site.transactions.filter(({ position: at }) => at >= chunk.start && at < chunk.end);
  assert.ok(transactions.length >= 3);
  return { chunk, transactions };
}

/**
 * Flips a bit in the oid of an old record of page 1, which becomes one of the root: an index that is built from it maps the
 * root to the wrong record, and any other index is right. Returns the position.
 */
function rotInOid(pair: Pair, ...files: readonly string[]): number {
  const at = recordPositions(oldTransactions(pair).transactions[1]!).at(-1)! + 7;
  assert.equal(readFileSync(pair.masterFile)[at], 1);
  for (const file of files) flipBits(file, [at]);
  return at;
}

describe('an index beside a slave with wrong bytes', () => {
  let judge: Judge;
  let indexes: IndexJudge;
  before(() => {
    judge = new Judge();
    indexes = new IndexJudge();
  });
  after(() => Promise.all([judge.close(), indexes.close()]));

  const indexOf = (pair: Pair) => `${pair.slaveFile}.index`;

  it('is removed by a repair of bytes that it covers, and kept otherwise', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      await indexes.scan(pair.slaveFile, indexOf(pair));
      rotInOid(pair, pair.slaveFile);
      rmSync(indexOf(pair));
      await indexes.scan(pair.slaveFile, indexOf(pair));
      const { exitCode, scrubbed } = await syncAndScrub(pair, 'full');
      assert.deepEqual([exitCode, scrubbed.bad], [0, 1]);
      assert.ok(!existsSync(indexOf(pair)));
      await judge.assertComplete(pair.slaveFile, 'after the repair');

      // An index that ends before the repaired chunk.
      const { chunks } = datOf(pair);
      const early = chunks.findLast(({ end }) => end < OLD)!;
      const prefix = `${pair.directory}/prefix.fs`;
      writeFileSync(prefix, readFileSync(pair.slaveFile).subarray(0, early.end));
      await indexes.scan(prefix, indexOf(pair));
      const bytes = readFileSync(indexOf(pair));
      rotInOid(pair, pair.slaveFile);
      assert.equal((await syncAndScrub(pair, 'full')).exitCode, 0);
      assert.deepEqual(readFileSync(indexOf(pair)), bytes);
      await judge.assertComplete(pair.slaveFile, 'after the second repair');
    }));

  it('is built from repaired bytes when a sync finds the wrong ones while building it', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      rmSync(indexOf(pair), { force: true });
      rotInOid(pair, pair.slaveFile);
      pair.commit('new');
      const { exitCode, reason } = await syncAndScrub(pair, 0, EAGER);
      assert.equal(exitCode, 0, reason);
      pair.assertInStep();
      const { indexUsed } = await judge.assertComplete(pair.slaveFile, 'after the refresh');
      assert.ok(indexUsed);
    }));

  it('is not built when the master lacks the bytes as well, and the run ends with 4', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      rmSync(indexOf(pair), { force: true });
      rotInOid(pair, pair.slaveFile, pair.masterFile);
      pair.commit('new');
      const { exitCode, reason, slave } = await syncAndScrub(pair, 0, EAGER);
      assert.equal(exitCode, 4, reason);
      assert.match(reason, /are not those that were copied/);
      assert.equal(slave.claim, datOf(pair).claim.position, 'the append is claimed');
      assert.ok(!existsSync(indexOf(pair)));
    }));

  it('is refreshed from the middle of a chunk only if the whole chunk is as it was copied', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const at = rotInOid(pair);
      const { chunk, transactions } = oldTransactions(pair);
      const prefix = `${pair.directory}/prefix.fs`;
      for (const { position: end } of transactions.slice(1, 3)) {
        writeFileSync(prefix, readFileSync(pair.slaveFile).subarray(0, end));
        rmSync(indexOf(pair), { force: true });
        await indexes.scan(prefix, indexOf(pair));
        const before = readFileSync(indexOf(pair));
        flipBits(pair.slaveFile, [at]);
        const run = syncpozo(['index', pair.slaveFile, '--json']);
        assert.equal(run.exit, 4, run.all);
        assert.deepEqual(run.json.damage, {
          position: chunk.start,
          at: chunk.start,
          rule: 'hash',
          message: `its bytes ${chunk.start} to ${chunk.end} are not those that were copied`,
        });
        assert.deepEqual(readFileSync(indexOf(pair)), before);
        flipBits(pair.slaveFile, [at]);
        const intact = syncpozo(['index', pair.slaveFile, '--json']);
        assert.deepEqual([intact.exit, intact.json.action], [0, 'refreshed'], intact.all);
        await judge.assertComplete(pair.slaveFile, 'after the refresh');
      }
    }));

  it('is not built at a takeover, which names the wrong chunk', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      rmSync(indexOf(pair), { force: true });
      const at = rotInOid(pair, pair.slaveFile);
      const { exitCode, changed, uncoveredByIndex } = await runPromote({
        slave: pair.slave,
        file: 'Data.fs',
        statusFile: pair.statusFile,
        graceSeconds: 1,
        verify: false,
        indexLimits: { from: 0, upTo: 1 << 30, indexBytes: 1 << 30 },
      });
      assert.equal(exitCode, 4);
      assert.equal(changed.length, 1);
      assert.ok(changed[0]!.start <= at && at < changed[0]!.end);
      assert.equal(uncoveredByIndex, pair.site.committedEnd);
      assert.ok(!existsSync(indexOf(pair)));
    }));
});
