import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { fill, stoppedInMidCopy } from '../support/in-mid-copy.js';
import { listing, type Pair, withPair } from '../support/pair.js';

const MEBIBYTES = 48;

/** Undoes a first copy that finished before the test could interrupt it. */
function emptySlave(pair: Pair): void {
  for (const name of readdirSync(pair.slave)) rmSync(join(pair.slave, name));
}

describe('a sync during a large first copy', () => {
  it('excludes other syncs, lets nobody read the partial file, and ends on a signal', (test) =>
    withPair(async (pair) => {
      fill(pair, MEBIBYTES);
      const fresh = join(pair.slave, 'Data.fs.new');
      for (const signal of ['SIGTERM', 'SIGINT'] as const)
        await test.test(signal, async () => {
          const running = await stoppedInMidCopy(pair, fresh, () => emptySlave(pair));
          assert.equal(statSync(fresh).mode & 0o7777, 0o600);
          assert.equal(existsSync(pair.slaveFile), false);
          if (signal === 'SIGTERM') {
            assertEnd(pair.sync(), { exit: 0, action: 'busy' });
            const status = syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile]);
            assertNoCrash(status);
            assert.deepEqual([status.json.lockedBy, status.json.size], ['syncpozo', null]);
          }
          running.signal(signal);
          running.signal('SIGCONT');
          assertEnd(await running.end(), { exit: 1, action: 'failed', reason: /interrupted by a signal/ });
          assert.deepEqual(readdirSync(pair.slave), ['Data.fs.lock', 'Data.fs.outcome']);
        });
      pair.assertRepairs();
    }));
});

describe('a sync during a large append', () => {
  it('leaves the slave unchanged when a signal ends it', (test) =>
    withPair(async (pair) => {
      pair.synced();
      const before = listing(pair.slave, { times: false });
      const end = statSync(pair.slaveFile).size;
      const dat = readFileSync(pair.dat);
      fill(pair, MEBIBYTES);
      for (const signal of ['SIGTERM', 'SIGINT'] as const)
        await test.test(signal, async () => {
          const running = await stoppedInMidCopy(pair, pair.slaveFile, () => {
            truncateSync(pair.slaveFile, end);
            writeFileSync(pair.dat, dat);
            rmSync(`${pair.slaveFile}.scrub`, { force: true });
          });
          running.signal(signal);
          running.signal('SIGCONT');
          assertEnd(await running.end(), { exit: 1, action: 'failed', reason: /interrupted by a signal/ });
          assert.deepEqual(listing(pair.slave, { times: false }), before);
        });
      pair.assertRepairs();
    }));
});
