import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertEnd, Running } from '../support/cli.js';
import { listing, withPair } from '../support/pair.js';
import { assertPromoted, batchBeyond, promote, promoteArgs, roleFileOf } from '../support/promotion.js';

describe('a promotion that is killed', () => {
  it('is completed by the next one, whenever the kill happens', (test) =>
    withPair(async (pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      const dat = readFileSync(pair.dat);
      const batch = batchBeyond(pair, 'c');
      let killed = 0;
      const began = Date.now();
      assertPromoted(pair, promote(pair));
      const lasts = Date.now() - began;
      for (let round = 0; round < 12; round++) {
        writeFileSync(pair.slaveFile, Buffer.concat([before, batch]));
        // The state before, except for the inode, which an overwrite keeps.
        writeFileSync(pair.dat, dat);
        rmSync(roleFileOf(pair));
        writeFileSync(pair.statusFile, 'SYNCING=1\n');
        const running = Running.start(promoteArgs(pair));
        await sleep((lasts * (round + 4)) / 12);
        running.signal('SIGKILL');
        if ((await running.end()).signal === 'SIGKILL') killed++;
        assertPromoted(pair, promote(pair));
        assert.deepEqual(readFileSync(pair.slaveFile), before);
        assert.deepEqual(
          readdirSync(pair.slave).filter((name) => name.endsWith('.tmp')),
          [],
        );
        writeFileSync(pair.statusFile, 'SYNCING=1\n');
        const held = listing(pair.slave);
        assertEnd(pair.sync(), { exit: 0, action: 'off' });
        assert.deepEqual(listing(pair.slave), held);
      }
      test.diagnostic(`${killed} of 12 promotions were killed`);
    }));
});
