import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DiskOperation } from '../../src/io/observer.js';
import { SILENT } from '../../src/report/log.js';
import { operationsDuring } from '../support/disk-operations.js';
import { type Pair, withPair } from '../support/pair.js';
import { datOf, flipBits, manyChunks, syncAndScrub } from '../support/rot.js';

/** A slave with wrong bytes in its first and last chunk, and a master that has grown. Returns their positions. */
async function rottenAndBehind(pair: Pair): Promise<readonly number[]> {
  await manyChunks(pair);
  const { chunks } = datOf(pair);
  const places = [chunks[0]!.start + 9000, readFileSync(pair.slaveFile).lastIndexOf('the last')];
  flipBits(pair.slaveFile, places);
  pair.commit('new');
  return places;
}

/** A log that calls `act` once the plan has been made and before any of it is done. */
function whenPlanned(act: () => void) {
  const isPlan = /do not match their checksum, and are repaired from the master$/;
  return { ...SILENT, warn: (_fields: object, message: string) => isPlan.test(message) && act() };
}

async function operationsOnSlave(pair: Pair, run: () => Promise<unknown>): Promise<DiskOperation[]> {
  const operations = await operationsDuring(run);
  return operations.filter((each) => 'path' in each && each.path === pair.slaveFile);
}

describe('bytes that the probes find wrong on the slave alone', () => {
  it('are repaired durably before the first byte is appended, and are reported', () =>
    withPair(async (pair) => {
      const [first = 0, last = 0] = await rottenAndBehind(pair);
      const { chunks, claim } = datOf(pair);
      const wrong = [chunks[0]!, chunks.at(-1)!];
      const operations = await operationsOnSlave(pair, async () => {
        const { exitCode, action, copied, scrubbed } = await syncAndScrub(pair, 0);
        assert.deepEqual([exitCode, action, copied.transactions], [0, 'append', 1]);
        assert.deepEqual(scrubbed, { bytes: wrong.reduce((sum, { start, end }) => sum + end - start, 0), bad: 2 });
      });
      const [one, two, synced, appended] = operations;
      for (const [operation, at] of [
        [one, first],
        [two, last],
      ] as const) {
        assert.ok(operation?.kind === 'write' && operation.position <= at);
        assert.ok(operation.position + operation.bytes.length > at);
      }
      assert.equal(synced?.kind, 'sync');
      assert.deepEqual([appended?.kind, appended?.kind === 'write' && appended.position], ['write', claim.position]);
      pair.assertInStep();
    }));

  it("add to the bytes that the same run's scrub reads, and are found once", () =>
    withPair(async (pair) => {
      await rottenAndBehind(pair);
      const { exitCode, scrubbed } = await syncAndScrub(pair, 'full');
      assert.deepEqual([exitCode, scrubbed.bad], [0, 2]);
      assert.ok(scrubbed.bytes > statSync(pair.slaveFile).size);
      pair.assertInStep();
    }));

  it('stay wrong in a dry run', () =>
    withPair(async (pair) => {
      await rottenAndBehind(pair);
      const operations = await operationsOnSlave(pair, () => syncAndScrub(pair, 'full', { dryRun: true }));
      assert.deepEqual(operations, []);
    }));

  it('end the run before the append when the master has gone wrong there since', () =>
    withPair(async (pair) => {
      const places = await rottenAndBehind(pair);
      const before = readFileSync(pair.slaveFile);
      const log = whenPlanned(() => flipBits(pair.masterFile, places, 3));
      const { exitCode, reason, slave, copied } = await syncAndScrub(pair, 0, { log });
      assert.equal(exitCode, 4);
      assert.match(
        reason,
        /^the master is damaged at position \d+: .* those are wrong as well; 2 such pieces were found$/,
      );
      assert.deepEqual([slave.claim, copied.bytes], [null, 0]);
      assert.ok(readFileSync(pair.slaveFile).equals(before));
    }));

  it('are probed again when the master is replaced meanwhile', () =>
    withPair(async (pair) => {
      await rottenAndBehind(pair);
      let planned = 0;
      const log = whenPlanned(() => {
        if (planned++ > 0) return;
        copyFileSync(pair.masterFile, `${pair.masterFile}.copy`);
        renameSync(`${pair.masterFile}.copy`, pair.masterFile);
      });
      // In another file only the bytes of the master are read; the scrub finds the rest.
      const { exitCode, scrubbed } = await syncAndScrub(pair, 'full', { log });
      assert.deepEqual([exitCode, scrubbed.bad, planned], [0, 2, 2]);
      pair.assertInStep();
    }));

  it('are not repaired in another file at the slave’s path', () =>
    withPair(async (pair) => {
      await rottenAndBehind(pair);
      const before = readFileSync(pair.slaveFile);
      const log = whenPlanned(() => {
        copyFileSync(pair.slaveFile, `${pair.slaveFile}.copy`);
        renameSync(`${pair.slaveFile}.copy`, pair.slaveFile);
      });
      const { exitCode, reason } = await syncAndScrub(pair, 0, { log });
      assert.equal(exitCode, 1);
      assert.match(reason, /the slave was exchanged while this run read it/);
      assert.ok(readFileSync(pair.slaveFile).equals(before));
    }));
});
