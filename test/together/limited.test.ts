import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { encodedLength } from '../../src/filestorage/encode.js';
import type { MasterPlace } from '../../src/pipeline/master-place.js';
import { runSync, type SyncOptions } from '../../src/round/run-sync.js';
import { Pair } from '../support/pair.js';
import { withTempDir } from '../support/site.js';

const SMALL_CHUNKS = { chunkBytes: 64 << 10, workers: 2 };

/** The end of the transaction with this number, from the first one on. */
function placeAt(pair: Pair, number: number): MasterPlace {
  const { dev, ino } = statSync(pair.masterFile, { bigint: true });
  const transaction = pair.site.transactions.at(number)!;
  const end = transaction.position + encodedLength(transaction);
  return { device: String(dev), inode: String(ino), end, tid: transaction.tid };
}

function limitedTo(pair: Pair, place: MasterPlace, isReady = true): SyncOptions {
  const { master, slave, statusFile } = pair;
  const member = {
    place: async () => place,
    ready: async (tid: bigint) => isReady && tid === place.tid,
    startsOver: () => false,
  };
  return { master, slave, statusFile, member, ...SMALL_CHUNKS };
}

function assertEndsAt(pair: Pair, { end }: Pick<MasterPlace, 'end'>): void {
  assert.ok(readFileSync(pair.slaveFile).equals(readFileSync(pair.masterFile).subarray(0, end)));
}

/** Pages of some hundred kilobytes: many chunks. */
function commitMuch(pair: Pair, count: number): void {
  for (let page = 1; page <= count; page++)
    pair.site.commit(pair.site.pages(new Map([[page, String.fromCharCode(97 + (page % 26)).repeat(200_000)]])));
}

async function withPair(use: (pair: Pair) => Promise<void>): Promise<void> {
  await withTempDir((directory) => use(new Pair(directory)));
}

/** The limited round ends at the place, and the next one, which has no limit, copies the rest. */
async function assertLimited(pair: Pair, place: MasterPlace, action: string): Promise<void> {
  const result = await runSync(limitedTo(pair, place));
  assert.deepEqual([result.action, result.exitCode], [action, 0], result.reason);
  assertEndsAt(pair, place);
  const again = await runSync(limitedTo(pair, place));
  assert.deepEqual([again.action, again.exitCode, again.copied.bytes], ['none', 0, 0], again.reason);
  const { master, slave, statusFile } = pair;
  const rest = await runSync({ master, slave, statusFile, scrub: 'full' });
  assert.deepEqual([rest.action, rest.exitCode, rest.scrubbed.bad], ['append', 0, 0], rest.reason);
  assertEndsAt(pair, { end: pair.site.committedEnd });
}

describe('a sync of a group copies its master up to a place,', () => {
  it('the first time', async () => {
    await withPair(async (pair) => {
      commitMuch(pair, 30);
      await assertLimited(pair, placeAt(pair, 20), 'full');
    });
  });

  it('by an append, whatever follows the place', async () => {
    await withPair(async (pair) => {
      pair.synced();
      commitMuch(pair, 30);
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      await assertLimited(pair, placeAt(pair, 20), 'append');
    });
  });

  it('by a rebuild after a pack', async () => {
    await withPair(async (pair) => {
      commitMuch(pair, 10);
      pair.synced();
      commitMuch(pair, 5);
      pair.site.pack();
      commitMuch(pair, 10);
      await assertLimited(pair, placeAt(pair, -5), 'rebuild');
    });
  });

  it('by an adoption, where the slave has lost its .dat', async () => {
    await withPair(async (pair) => {
      commitMuch(pair, 10);
      pair.synced();
      rmSync(pair.dat);
      commitMuch(pair, 10);
      await assertLimited(pair, placeAt(pair, -5), 'adopt');
    });
  });

  it('and drops all of it if the others are not ready', async () => {
    await withPair(async (pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      commitMuch(pair, 10);
      const result = await runSync(limitedTo(pair, placeAt(pair, -3), false));
      assert.deepEqual([result.copied.bytes, result.slave.claim], [0, before.length], result.reason);
      assert.ok(readFileSync(pair.slaveFile).equals(before));
    });
  });

  it('and not from a file that was exchanged after the place was chosen', async () => {
    await withPair(async (pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      commitMuch(pair, 10);
      const place = placeAt(pair, -3);
      pair.site.pack();
      const result = await runSync(limitedTo(pair, place));
      assert.deepEqual([result.exitCode, /exchanged/.test(result.reason)], [1, true], result.reason);
      assert.ok(readFileSync(pair.slaveFile).equals(before));
    });
  });
});
