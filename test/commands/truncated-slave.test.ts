import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';

/** One chunk per transaction, so that a small file has many chunks. */
const SMALL_CHUNKS = ['--chunk-size', '1B', '--workers', '0'];

/** The chunk ends in the .dat. */
function chunkEnds(pair: Pair): number[] {
  const lines = readFileSync(pair.dat, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('chunk ')).map((line) => Number(line.split(' ')[2]));
}

const PLACES: readonly (readonly [string, (ends: readonly number[]) => number])[] = [
  ['inside its last chunk', (ends) => ends.at(-1)! - 1],
  ['to the header of its last transaction', (ends) => ends.at(-2)! + 23],
  ['inside its first chunk', (ends) => ends[0]! - 5],
  ['at the end of a chunk in the middle', (ends) => ends[2]!],
  ['one byte before the end of a chunk', (ends) => ends[2]! - 1],
  ['one byte behind the end of a chunk', (ends) => ends[2]! + 1],
  ['to its magic', () => 4],
  ['to 3 bytes', () => 3],
  ['to nothing', () => 0],
];

describe('sync repairs a truncated slave', () => {
  it('wherever it was cut, with a warning', (test) =>
    withPair(async (pair) => {
      pair.commit('three', 'four', 'five', 'six');
      pair.synced(...SMALL_CHUNKS);
      const ends = chunkEnds(pair);
      assert.ok(ends.length > 5, 'the slave has several chunks');
      for (const [place, choose] of PLACES)
        await test.test(place, () => {
          truncateSync(pair.slaveFile, choose(ends));
          const run = pair.sync(...SMALL_CHUNKS);
          assertEnd(run, { exit: 0, hint: null });
          const warned = run.records.some(({ level }) => level === 'warn');
          assert.ok(warned || run.json.action === 'full', `says that the slave was cut short\n${run.all}`);
          pair.assertInStep();
        });
      pair.assertNothingNew(...SMALL_CHUNKS);
    }));

  it('cut at the end of a transaction inside its only chunk', () =>
    withPair((pair) => {
      pair.synced();
      const end = pair.site.committedEnd;
      pair.commit('one more');
      pair.synced();
      truncateSync(pair.slaveFile, end);
      const run = pair.sync();
      assertEnd(run, { exit: 0, hint: null });
      assert.match(run.stderr, /"level":"warn".*are claimed/);
      pair.assertInStep();
      pair.assertNothingNew();
    }));

  it('without its .dat', () =>
    withPair((pair) => {
      pair.synced();
      const { length } = readFileSync(pair.slaveFile);
      truncateSync(pair.slaveFile, length - 30);
      rmSync(pair.dat);
      assertEnd(pair.sync(), { exit: 0, action: 'adopt' });
      pair.assertInStep();
      pair.assertNothingNew();
    }));

  it("and copies the master's new transactions", () =>
    withPair((pair) => {
      pair.synced();
      truncateSync(pair.slaveFile, 100);
      pair.commit('since then');
      pair.assertRepairs();
    }));
});

describe('a slave that was removed', () => {
  it('is copied again, and the log uses the message that operators know', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.slaveFile);
      const run = pair.sync();
      assertEnd(run, { exit: 0, action: 'full' });
      assert.ok(
        run.records.some(({ msg }) => msg === 'missing or empty .dat file (full backup)'),
        run.all,
      );
      pair.assertInStep();
      pair.assertNothingNew();
    }));
});

describe('a slave that another program changed', () => {
  it('is repaired when the change is in its last chunk', () =>
    withPair((pair) => {
      pair.commit('a page of ours');
      pair.synced();
      const bytes = readFileSync(pair.slaveFile);
      bytes[bytes.indexOf('a page of ours')] = 0x41;
      writeFileSync(pair.slaveFile, bytes);
      const run = pair.sync();
      assertEnd(run, { exit: 0 });
      assert.match(run.stderr, /"level":"warn".*do not match their checksum/);
      pair.assertInStep();
      pair.assertNothingNew();
    }));
});
