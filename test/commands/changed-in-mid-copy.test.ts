import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, type Run } from '../support/cli.js';
import { fill, stoppedInMidCopy } from '../support/in-mid-copy.js';
import { type Pair, withPair } from '../support/pair.js';

const MEBIBYTES = 32;

/** Starts a first copy of a large master, and calls `change` in the middle of it. */
async function inFirstCopy(pair: Pair, change: () => void): Promise<Run> {
  fill(pair, MEBIBYTES);
  const again = () => {
    for (const name of readdirSync(pair.slave)) rmSync(join(pair.slave, name));
  };
  const running = await stoppedInMidCopy(pair, join(pair.slave, 'Data.fs.new'), again);
  change();
  running.signal('SIGCONT');
  return running.end();
}

/** Starts a large append, and calls `change` in the middle of it. */
async function inAppend(pair: Pair, change: () => void): Promise<Run> {
  pair.site.commit(pair.site.pages(new Map([[1000, 'a page that no pack drops']])));
  fill(pair, 2);
  pair.synced();
  const [slave, dat] = [readFileSync(pair.slaveFile), readFileSync(pair.dat)];
  const again = () => {
    truncateSync(pair.slaveFile, slave.length);
    writeFileSync(pair.dat, dat);
  };
  fill(pair, MEBIBYTES);
  const running = await stoppedInMidCopy(pair, pair.slaveFile, again);
  change();
  running.signal('SIGCONT');
  return running.end();
}

for (const [name, during] of [
  ['a first copy', inFirstCopy],
  ['an append', inAppend],
] as const)
  describe(`during ${name}`, () => {
    it('a pack of the master restarts the run with the packed file', () =>
      withPair(async (pair) => {
        const run = await during(pair, () => {
          pair.commit('packs away an older text');
          pair.site.pack();
        });
        assertEnd(run, { exit: 0 });
        pair.assertInStep();
        pair.assertNothingNew();
      }));

    it('removal of the master is an error, and the slave stays intact', () =>
      withPair(async (pair) => {
        const bytes: { master?: Buffer } = {};
        const run = await during(pair, () => {
          bytes.master = readFileSync(pair.masterFile);
          rmSync(pair.masterFile);
        });
        assertEnd(run, { exit: 1, action: 'failed' });
        writeFileSync(pair.masterFile, bytes.master ?? '');
        pair.assertRepairs();
      }));

    it('truncation of the master: the slave never contains bytes from beyond the new end', () =>
      withPair(async (pair) => {
        const places = pair.site.transactions.length;
        const run = await during(pair, () =>
          truncateSync(pair.masterFile, pair.site.transactions[places + 3]!.position),
        );
        assertNoCrash(run);
        const next = pair.sync();
        assertNoCrash(next);
        const slave = readFileSync(pair.slaveFile);
        const master = readFileSync(pair.masterFile);
        assert.ok(slave.subarray(0, master.length).equals(master.subarray(0, slave.length)));
        assert.ok(next.exit === 0 || slave.length > master.length, next.all);
      }));
  });

describe('during an append', () => {
  it('the master grows: the slave equals an earlier state of it, and the next run copies the rest', () =>
    withPair(async (pair) => {
      const run = await inAppend(pair, () => pair.commit('one', 'two', 'three'));
      assertEnd(run, { exit: 0 });
      const slave = readFileSync(pair.slaveFile);
      assert.ok(slave.equals(readFileSync(pair.masterFile).subarray(0, slave.length)));
      pair.assertRepairs();
    }));
});

describe('during a first copy', () => {
  it('syncing is switched off: this run may finish, the next one does nothing', () =>
    withPair(async (pair) => {
      const run = await inFirstCopy(pair, () => writeFileSync(pair.statusFile, 'SYNCING=0\n'));
      assertEnd(run, { exit: 0 });
      pair.commit('must not be copied');
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { exit: 0, action: 'off' },
      );
    }));
});
