import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { IndexReader } from '../../src/filestorage/index-reader.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';

function index(pair: Pair, ...more: string[]): Run {
  const run = syncpozo(['index', pair.slaveFile, '--json', ...more]);
  assertNoCrash(run);
  return run;
}

/** The end that the slave's index covers, and its number of objects. */
function read(pair: Pair): { readonly end: number; readonly objects: number } {
  const reader = new IndexReader();
  reader.feed(readFileSync(`${pair.slaveFile}.index`));
  reader.finish();
  assert.equal(reader.problem, undefined);
  return { end: reader.end, objects: reader.index.size };
}

describe('syncpozo index', () => {
  it('builds the index, refreshes it, and leaves a complete one alone', () =>
    withPair((pair) => {
      pair.synced('--no-index');
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
      const built = index(pair);
      assert.equal(built.exit, 0, built.all);
      assert.equal(built.json.action, 'built');
      assert.equal(built.json.committedEnd, pair.site.committedEnd);
      assert.deepEqual(read(pair), { end: pair.site.committedEnd, objects: built.json.objects });
      const before = pair.site.committedEnd;
      pair.commit('another', 'and another', 'a third');
      pair.synced();
      assert.equal(read(pair).end, before, 'a short tail is left to FileStorage');
      const refreshed = index(pair, '--workers', '0');
      assert.equal(refreshed.json.action, 'refreshed', refreshed.all);
      assert.equal(refreshed.json.read, pair.site.committedEnd - 4, 'the whole chunk, to compare it with its checksum');
      assert.equal(read(pair).end, pair.site.committedEnd);
      const none = pair.unchanged(() => index(pair));
      assert.deepEqual([none.exit, none.json.action, none.json.read], [0, 'none', 0]);
    }));

  it('gives the index the owner and mode of the file', () =>
    withPair((pair) => {
      pair.synced('--no-index');
      chmodSync(pair.slaveFile, 0o640);
      assert.equal(index(pair).exit, 0);
      assert.equal(statSync(`${pair.slaveFile}.index`).mode & 0o7777, 0o640);
    }));

  it('indexes the file up to a transaction in flight or a truncated one, and reports it', () =>
    withPair((pair) => {
      pair.synced('--no-index');
      truncateSync(pair.slaveFile, pair.site.committedEnd - 3);
      const claimed = pair.unchanged(() => index(pair));
      assert.equal(claimed.exit, 4, claimed.all);
      assert.match(claimed.json.reason, /its \.dat claims \d+ bytes, it has \d+/);
      rmSync(pair.dat);
      const run = index(pair);
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.tail, 'torn');
      assert.equal(read(pair).end, run.json.committedEnd);
      assert.ok(run.json.committedEnd < pair.site.committedEnd);
    }));

  it('refuses a damaged file, names the position, and leaves its index unchanged', () =>
    withPair((pair) => {
      pair.synced();
      const bytes = readFileSync(pair.slaveFile);
      bytes.writeUInt8(0xff, 4 + 15);
      writeFileSync(pair.slaveFile, bytes);
      writeFileSync(`${pair.slaveFile}.index`, 'not an index');
      const run = pair.unchanged(() => index(pair));
      assert.equal(run.exit, 4, run.all);
      assert.deepEqual([run.json.action, run.json.damage.position], ['failed', 4]);
    }));

  it('refuses a file that a server has open, and a file that is no Data.fs', () =>
    withPair(async (pair) => {
      pair.synced('--no-index');
      await heldByOther(pair, ' PID\n', () => {
        const busy = pair.unchanged(() => index(pair));
        assert.deepEqual([busy.exit, busy.json.action], [5, 'refused'], busy.all);
      });
      writeFileSync(pair.slaveFile, 'neither magic nor anything');
      assert.equal(index(pair).exit, 4);
      rmSync(pair.slaveFile);
      assert.equal(index(pair).exit, 2);
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
    }));
});

describe('syncpozo sync', () => {
  it('leaves a complete index beside a slave that it has created or rebuilt', () =>
    withPair((pair) => {
      pair.synced();
      assert.equal(read(pair).end, pair.site.committedEnd);
      pair.commit('a');
      assert.ok(pair.site.pack());
      pair.synced();
      assert.equal(read(pair).end, pair.site.committedEnd);
      pair.commit('c');
      pair.synced('--full');
      assert.equal(read(pair).end, pair.site.committedEnd);
      pair.assertNothingNew();
    }));

  it('with --no-index leaves no index, and removes a stale one', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('a', 'b');
      pair.synced('--full', '--no-index');
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
    }));

  it('removes an index that covers bytes it truncates, and one it cannot read', () =>
    withPair((pair) => {
      pair.synced();
      truncateSync(pair.slaveFile, pair.site.committedEnd - 3);
      pair.synced();
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
      writeFileSync(`${pair.slaveFile}.index`, 'rubbish');
      pair.commit('a');
      pair.synced();
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
      pair.assertInStep();
    }));

  it('succeeds with a warning when the index cannot be written', () =>
    withPair((pair) => {
      mkdirSync(`${pair.slaveFile}.index.tmp`);
      const run = pair.sync();
      assertNoCrash(run);
      assert.equal(run.exit, 0, run.all);
      pair.assertInStep();
      assert.match(run.stderr, /its index was not written/);
      assert.ok(!existsSync(`${pair.slaveFile}.index`));
    }));
});
