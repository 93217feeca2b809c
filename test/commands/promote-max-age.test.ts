import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Run, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { assertPromoted, promote, promoteArgs } from '../support/promotion.js';

const from = (pair: Pair, ...more: string[]): Run =>
  promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '60', ...more);

describe('promote --max-age', () => {
  const old = (pair: Pair): void => {
    const path = `${pair.slaveFile}.outcome`;
    rmSync(path, { force: true });
    const days = new Date(Date.now() - 3 * 86_400_000);
    const dat = readFileSync(pair.dat);
    writeFileSync(pair.dat, dat);
    // Without a record, the time of the .dat counts.
    utimesSync(pair.dat, days, days);
  };

  it('refuses a slave that was in step too long ago, changes nothing, and gives way to --force', () =>
    withPair((pair) => {
      old(pair.synced());
      const run = pair.unchanged(() => promote(pair, '--max-age', '2h'), 'Data.fs.lock');
      assert.deepEqual([run.exit, run.json.promoted, run.json.switch.left], [3, false, 'as found'], run.all);
      assert.match(
        run.json.reason,
        /too old: it was last known to be in step 259\d\d\d s ago, and --max-age is 7200 s/,
      );
      assert.match(run.json.hint, /--force/);
      assertPromoted(pair, promote(pair, '--max-age', '2h', '--force'));
    }));

  it('goes by the last transaction where no sync is recorded', () =>
    withPair((pair) => {
      copyFileSync(pair.masterFile, pair.slaveFile);
      const run = promote(pair, '--max-age', '1s');
      assert.equal(run.exit, 3, run.all);
      assert.match(run.json.reason, /its last transaction is \d+ s old/);
    }));

  it('is of no concern behind a catch-up, and counts when there was none', () =>
    withPair((pair) => {
      old(pair.synced());
      assert.equal(promote(pair, '--max-age', '2h', '--master', join(pair.directory, 'nowhere')).exit, 3);
      assertPromoted(pair, from(pair, '--max-age', '2h'));
    }));

  it('needs a unit', () =>
    withPair((pair) => {
      const run = syncpozo(promoteArgs(pair, '--max-age', '60'));
      assert.deepEqual([run.exit, run.stdout], [2, '']);
    }));
});
