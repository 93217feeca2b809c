import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { readHistory } from '../../src/demo/history.js';
import { encodedLength } from '../../src/filestorage/encode.js';
import { fill } from '../support/in-mid-copy.js';
import { type Pair, withPair } from '../support/pair.js';
import { fixedSeed } from '../support/seed.js';

const KILLS = 15;
const LONGEST_MS = 300;

/** At any moment FileStorage must find a state of the slave that the master has had, now or before a pack. */
function assertOpens(pair: Pair, packed: readonly Buffer[] = []): void {
  if (!existsSync(pair.slaveFile)) return;
  const slave = readFileSync(pair.slaveFile);
  const last = readHistory(slave).at(-1);
  assert.ok(last, 'the slave is never an empty database');
  const end = last.position + encodedLength(last);
  const masters = [readFileSync(pair.masterFile), ...packed];
  assert.ok(masters.some((master) => slave.subarray(0, end).equals(master.subarray(0, end))));
}

describe('a sync that is killed at any moment', () => {
  const seed = Number(fixedSeed(20_261_128));

  it(`leaves a slave that opens, and the next sync repairs it (seed ${seed})`, () =>
    withPair(async (pair) => {
      let state = seed;
      const random = () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return state / 2 ** 31;
      };
      fill(pair, 8);
      const packed: Buffer[] = [];
      for (let kill = 1; kill <= KILLS; kill++) {
        if (kill === 5) pair.synced();
        if (kill % 5 === 2) {
          packed.push(readFileSync(pair.masterFile));
          pair.site.pack();
        }
        if (kill > 5) fill(pair, 2);
        const running = pair.startSync(...(kill % 4 === 0 ? ['--full'] : []));
        await setTimeout(random() * LONGEST_MS);
        running.signal('SIGKILL');
        await running.end();
        assertOpens(pair, packed);
      }
      pair.assertRepairs();
      // A run killed between the .dat and the index leaves no index; for so small a file no later run adds one.
      // Without a sync between two packs nothing shows that the first packed file continued the slave's history, so the old slave is kept.
      // A rebuild is an event.
      const mayBeThere = (name: string) =>
        name === 'Data.fs.index' || name === 'Data.fs.events' || name.startsWith('Data.fs.only-here-');
      const left = readdirSync(pair.slave).filter((name) => !mayBeThere(name));
      assert.deepEqual(left.sort(), [
        'Data.fs',
        'Data.fs.dat',
        'Data.fs.lock',
        'Data.fs.outcome',
        'Data.fs.role',
        'Data.fs.scrub',
      ]);
    }));

  it('leaves a partial first copy that the next run removes', () =>
    withPair(async (pair) => {
      fill(pair, 8);
      const running = pair.startSync();
      while (!existsSync(join(pair.slave, 'Data.fs.new')) && !running.ended) await setTimeout(1);
      running.signal('SIGKILL');
      await running.end();
      assertOpens(pair);
      rmSync(pair.dat, { force: true });
      pair.assertRepairs();
      assert.equal(existsSync(join(pair.slave, 'Data.fs.new')), false);
    }));
});
