import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';

/** Runs `use` while a process without a lock has the file open. */
async function whileOpened(path: string, how: '<' | '<>', use: () => void): Promise<void> {
  const child = spawn('sh', ['-c', `exec 7${how}"$0"; echo open; exec sleep 600`, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  try {
    use();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

describe('a slave that a process without its lock has open', () => {
  const others = (pair: Pair) => ['demote', 'index'].map((name) => syncpozo([name, pair.slave, '--json']));

  it('for writing is not written, whatever name that process opened it by', () =>
    withPair(async (pair) => {
      pair.synced();
      const other = `${pair.slaveFile}.other`;
      linkSync(pair.slaveFile, other);
      for (const path of [pair.slaveFile, other]) {
        pair.commit('must wait');
        await whileOpened(path, '<>', () => {
          for (const more of [[], ['--full']]) {
            const run = pair.unchanged(() => pair.sync(...more));
            assertEnd(run, { exit: 5, action: 'refused', reason: /open for writing/, hint: /Data\.fs\.lock/ });
          }
          const status = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--max-age', '9999']);
          assert.match(status.stdout, /^SYNCPOZO CRITICAL - in use since /);
          const run = pair.unchanged(() => promote(pair));
          assert.deepEqual([run.exit, run.json.promoted, run.json.switch.left], [5, false, 'as found']);
          for (const each of pair.unchanged(() => others(pair))) assert.equal(each.exit, 5, each.all);
        });
        pair.synced();
      }
    }));

  it('for writing is reported with nothing new as well, from the removal of its lock until that process is gone', () =>
    withPair(async (pair) => {
      pair.synced();
      rmSync(`${pair.slaveFile}.lock`);
      await whileOpened(pair.slaveFile, '<>', () => {
        for (let round = 0; round < 3; round++) {
          assertEnd(pair.sync(), { exit: 5, action: 'refused', reason: /open for writing/, hint: /Data\.fs\.lock/ });
        }
      });
      assertEnd(pair.sync(), { exit: 0, action: 'none' });
    }));

  it('for reading is synced, and so is one beside another open file of that name', () =>
    withPair(async (pair) => {
      pair.synced();
      pair.commit('one more');
      await whileOpened(pair.slaveFile, '<', () => void pair.synced());
      pair.commit('and another');
      await whileOpened(pair.masterFile, '<>', () => void pair.synced());
      pair.assertInStep();
    }));
});
