import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, type Run } from '../support/cli.js';
import { fill, stoppedInMidCopy } from '../support/in-mid-copy.js';
import { type Pair, withPair } from '../support/pair.js';

const MEBIBYTES = 32;

/** A first copy of a large master, in the middle of which `change` happens. */
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

/** A large append, in the middle of which `change` happens. */
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
  describe(`in the middle of ${name}`, () => {
    it('the master is packed: the run begins anew, with the packed file', () =>
      withPair(async (pair) => {
        const run = await during(pair, () => {
          pair.commit('packs away an older text');
          pair.site.pack();
        });
        assertEnd(run, { exit: 0 });
        pair.assertInStep();
        pair.assertNothingNew();
      }));

    it('the master is removed: an error, and the slave is no worse for it', () =>
      withPair(async (pair) => {
        const bytes: { master?: Buffer } = {};
        const run = await during(pair, () => {
          bytes.master = readFileSync(pair.masterFile);
          rmSync(pair.masterFile);
        });
        assertEnd(run, { exit: 1, action: 'failed' });
        writeFileSync(pair.masterFile, bytes.master ?? '');
        pair.assertHeals();
      }));

    it('the master is cut short: nothing beyond its end is ever taken for its data', () =>
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

describe('in the middle of an append', () => {
  it('the master goes on: the slave is a state of it, and the next run brings the rest', () =>
    withPair(async (pair) => {
      const run = await inAppend(pair, () => pair.commit('one', 'two', 'three'));
      assertEnd(run, { exit: 0 });
      const slave = readFileSync(pair.slaveFile);
      assert.ok(slave.equals(readFileSync(pair.masterFile).subarray(0, slave.length)));
      pair.assertHeals();
    }));
});

describe('in the middle of a first copy', () => {
  it('syncing is switched off: this run may end, the next one does nothing', () =>
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
