import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { assertEnd, assertNoCrash, type Run } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { Site } from '../support/site.js';

const GROWN = 'Slave (backup) file has grown since last syncing...';
const FORKED = /the master lacks the slave's last transaction/;

/** Runs a sync that must refuse, and returns the run. */
function assertRefuses(pair: Pair, reason: RegExp | string): Run {
  const run = pair.unchanged(() => pair.sync(), 'Data.fs.role');
  assertEnd(run, { exit: 3, action: 'refused', reason, hint: /--full/ });
  return run;
}

/** Follows the hint: --full rebuilds the slave and keeps the old file. */
function assertFullRebuilds(pair: Pair, old: Buffer): void {
  pair.synced('--full');
  pair.assertInStep();
  const aside = readdirSync(pair.slave).filter((name) => name.startsWith('Data.fs.only-here-'));
  assert.equal(aside.length, 1);
  assert.ok(readFileSync(join(pair.slave, aside[0] ?? '')).equals(old), 'the old slave is kept to the byte');
  pair.assertNothingNew();
}

/** Even --full must not overwrite different bytes of the same transaction while it is unknown which are right; the operator moves SLAVE aside. */
function assertUndecided(pair: Pair): void {
  const run = pair.unchanged(() => pair.sync('--full'), 'Data.fs.role');
  assertEnd(run, { exit: 4, action: 'failed', reason: /no recorded hash says which are right/, hint: /move .* aside/ });
  renameSync(pair.slaveFile, join(pair.directory, 'aside'));
  pair.synced();
  pair.assertInStep();
  pair.assertNothingNew();
}

describe('sync refuses, with status 3, and writes nothing', () => {
  it('when the slave has a transaction of its own; it lists the transactions of each side', () =>
    withPair((pair) => {
      pair.synced();
      const tid = pair.commitToSlave('only here');
      pair.commit('only there', 'only there as well');
      const { json, records } = assertRefuses(pair, GROWN);
      const time = /^2026-01-01T00:00:\d\d/;
      assert.equal(json.onlyHere.transactions, 1);
      assert.equal(json.onlyHere.firstTid, formatTid(tid));
      assert.equal(json.onlyHere.lastTid, formatTid(tid));
      assert.match(json.onlyHere.lastTime, time);
      assert.equal(json.onlyThere.transactions, 2);
      assert.equal(json.onlyThere.lastTid, formatTid(pair.site.lastTid));
      assert.match(json.onlyThere.firstTime, time);
      const record = records.find(({ msg }) => msg === GROWN);
      assert.deepEqual(record?.['onlySlave'], {
        transactions: 1,
        firstTid: json.onlyHere.firstTid,
        firstTime: json.onlyHere.firstTime,
        lastTid: json.onlyHere.lastTid,
        lastTime: json.onlyHere.lastTime,
      });
      // The first refusal must not enable the second run to overwrite.
      assertRefuses(pair, GROWN);
      assertFullRebuilds(pair, readFileSync(pair.slaveFile));
    }));

  it('when the slave has grown and the master has nothing new', () =>
    withPair((pair) => {
      pair.synced();
      pair.commitToSlave('only here');
      assert.equal(assertRefuses(pair, GROWN).json.onlyThere.transactions, 0);
    }));

  it('when the master was rolled back in place', () =>
    withPair((pair) => {
      const end = pair.site.committedEnd;
      pair.commit('to be rolled back');
      pair.synced();
      truncateSync(pair.masterFile, end);
      assert.equal(assertRefuses(pair, FORKED).json.onlyHere.transactions, 1);
      assertFullRebuilds(pair, readFileSync(pair.slaveFile));
    }));

  it('when the master was rolled back and has grown since', () =>
    withPair((pair) => {
      const end = pair.site.committedEnd;
      pair.commit('to be rolled back');
      pair.synced();
      truncateSync(pair.masterFile, end);
      const again = Site.open(pair.masterFile, { clock: pair.clock });
      for (const text of ['another', 'and another']) again.commit(again.pages(new Map([[1, text]])));
      again.close();
      const { onlyHere, onlyThere } = assertRefuses(pair, FORKED).json;
      assert.deepEqual([onlyHere.transactions, onlyThere.transactions], [1, 2]);
    }));

  for (const size of ['smaller', 'larger'])
    it(`when MASTER is another, ${size} site`, () =>
      withPair((pair) => {
        pair.commit('one', 'two');
        pair.synced();
        rmSync(pair.masterFile);
        const other = Site.create(pair.masterFile, { clock: pair.clock });
        for (let page = 0; size === 'larger' && page < 20; page++)
          other.commit(other.pages(new Map([[page + 1, 'of another site']])));
        other.close();
        assertRefuses(pair, FORKED);
      }));

  for (const inode of ['the same', 'another'])
    it(`when an older backup of the master was restored, in ${inode} inode`, () =>
      withPair((pair) => {
        const backup = readFileSync(pair.masterFile);
        pair.commit('after the backup', 'one more');
        pair.synced();
        if (inode === 'another') rmSync(pair.masterFile);
        writeFileSync(pair.masterFile, backup);
        assert.equal(assertRefuses(pair, FORKED).json.onlyHere.transactions, 2);
      }));

  it('when the slave was truncated and has grown by itself, though it is shorter than its claim', () =>
    withPair((pair) => {
      const end = pair.site.committedEnd;
      pair.commit('a text that is a good deal longer than the one that takes its place');
      pair.synced();
      truncateSync(pair.slaveFile, end);
      const tid = formatTid(pair.commitToSlave('only here'));
      assert.equal(assertRefuses(pair, GROWN).json.onlyHere.lastTid, tid);
    }));

  it('when the .dat is missing and the slave is another site', () =>
    withPair((pair) => {
      const elsewhere = join(pair.directory, 'elsewhere');
      mkdirSync(elsewhere);
      const other = Site.create(join(elsewhere, 'Data.fs'), { clock: pair.clock });
      other.commit(other.pages(new Map([[1, 'of another site']])));
      other.close();
      copyFileSync(join(elsewhere, 'Data.fs'), pair.slaveFile);
      assertRefuses(pair, /^the \.dat is missing, and the slave differs from the master at position \d+$/);
      assertFullRebuilds(pair, readFileSync(pair.slaveFile));
    }));

  it('when the .dat is missing and one byte of the slave differs', () =>
    withPair((pair) => {
      pair.commit('some page text');
      pair.synced();
      rmSync(pair.dat);
      const bytes = readFileSync(pair.slaveFile);
      const at = bytes.indexOf('some page text');
      bytes[at] = 0x53;
      writeFileSync(pair.slaveFile, bytes);
      assertRefuses(pair, new RegExp(`differs from the master at position ${at}$`));
      assertUndecided(pair);
    }));

  it('when the .dat is missing, a byte of the master differs, and the slave has grown by itself', () =>
    withPair((pair) => {
      pair.commit('some page text');
      pair.commit('what follows it');
      pair.synced();
      rmSync(pair.dat);
      const site = Site.open(pair.slaveFile, { clock: pair.clock });
      site.commit(site.pages(new Map([[1, 'of the slave alone']])));
      site.close();
      const bytes = readFileSync(pair.masterFile);
      bytes[bytes.indexOf('some page text')] = 0x53;
      writeFileSync(pair.masterFile, bytes);
      assertRefuses(pair, /differs from the master at position/);
      assertUndecided(pair);
    }));
});

describe('a truncated master', () => {
  it('causes no write and no stack trace, wherever it is cut', () =>
    withPair((pair) => {
      pair.commit('a page', 'y'.repeat(20_000), 'the last page');
      pair.synced();
      const whole = readFileSync(pair.masterFile);
      for (let size = 400; size < whole.length; size += 1777) {
        truncateSync(pair.masterFile, size);
        for (const more of [[], ['--full']]) {
          const run = pair.unchanged(() => pair.sync(...more), 'Data.fs.role');
          assertNoCrash(run);
          assert.ok([1, 3, 4].includes(run.exit ?? -1), `${size} ${more}: ${run.all}`);
          assert.doesNotMatch(run.all, /"stack"|stack=/, `cut to ${size} bytes`);
        }
        writeFileSync(pair.masterFile, whole);
      }
      pair.synced();
      pair.assertInStep();
    }));
});

describe('sync does not refuse', () => {
  it('when the same master has another inode, and it reports the new file', () =>
    withPair((pair) => {
      pair.synced();
      const bytes = readFileSync(pair.masterFile);
      rmSync(pair.masterFile);
      writeFileSync(pair.masterFile, bytes);
      const run = pair.sync();
      assertEnd(run, { exit: 0 });
      assert.ok(
        run.records.some(({ msg }) => msg.includes('another file with the same bytes')),
        run.all,
      );
      pair.assertInStep();
    }));

  it('when the master was packed', () =>
    withPair((pair) => {
      pair.commit('again', 'and again');
      pair.synced();
      pair.site.pack();
      assertEnd(pair.sync(), { exit: 0, action: 'rebuild', reason: 'master has been packed', hint: null });
      pair.assertInStep();
      pair.assertNothingNew();
    }));
});
