import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { Site } from '../support/site.js';
import { untilInStep, watching } from './watching.js';

/** Several intervals of the watches here. */
const A_WHILE_MS = 1500;

describe('a watch', () => {
  it('brings each commit to the slave, and the first copy', () =>
    withPair(async (pair) => {
      await watching(pair, async () => {
        await untilInStep(pair);
        for (let n = 0; n < 5; n++) {
          pair.commit(`commit ${n}`);
          await untilInStep(pair);
        }
      });
    }));

  it('writes nothing, takes no lock and starts no process while nothing is new', () =>
    withPair(async (pair) => {
      const calls = countFlockCalls(pair);
      await watching(
        pair,
        async () => {
          await untilInStep(pair);
          // The first round behind the first look.
          await sleep(A_WHILE_MS);
          const before = [listing(pair.slave, { locks: true }), calls()];
          await sleep(A_WHILE_MS);
          assert.deepEqual([listing(pair.slave, { locks: true }), calls()], before);
          pair.commit('and then something is');
          await untilInStep(pair);
          assert.ok(calls() > Number(before[1]), 'the counter counts');
        },
        { env: { PATH: `${join(pair.directory, 'bin')}:${process.env['PATH']}` } },
      );
    }));

  it('does nothing while the switch is off, and goes on when it is on', () =>
    withPair(async (pair) => {
      await watching(pair, async () => {
        await untilInStep(pair);
        syncpozo(['off', '--status-file', pair.statusFile]);
        pair.commit('while it is off');
        await stays(pair);
        syncpozo(['on', '--status-file', pair.statusFile]);
        await untilInStep(pair);
      });
    }));

  it('reports a switch that has become unclear while it was off', () =>
    withPair(async (pair) => {
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        syncpozo(['off', '--status-file', pair.statusFile]);
        await sleep(A_WHILE_MS);
        writeFileSync(pair.statusFile, 'SYNCING=');
        await sleep(A_WHILE_MS);
      });
      const errors = run.records.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, run.all);
      assert.match(errors[0]?.msg ?? '', /expected SYNCING=0 or SYNCING=1/);
    }));

  it('stands back from a promotion, and follows again after a person has demoted the slave', () =>
    withPair(async (pair) => {
      await watching(pair, async () => {
        await untilInStep(pair);
        const run = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile, '--json']);
        assert.equal(run.exit, 0, run.all);
        syncpozo(['on', '--status-file', pair.statusFile]);
        pair.commit('on the old master');
        pair.commitToSlave('on the new one');
        await stays(pair);
      });
    }));

  it('never takes the lock of a promoted slave, whose server may be about to start', () =>
    withPair(async (pair) => {
      const calls = countFlockCalls(pair);
      await watching(
        pair,
        async () => {
          await untilInStep(pair);
          const run = syncpozo(['promote', pair.slave, '--status-file', pair.statusFile, '--json']);
          assert.equal(run.exit, 0, run.all);
          const before = calls();
          syncpozo(['on', '--status-file', pair.statusFile]);
          for (let n = 0; n < 3; n++) {
            await sleep(A_WHILE_MS / 3);
            pair.commitToSlave(`served ${n}`);
          }
          await sleep(A_WHILE_MS);
          assert.equal(calls(), before);
        },
        { env: { PATH: `${join(pair.directory, 'bin')}:${process.env['PATH']}` } },
      );
    }));

  it('refuses a slave that has grown, says so once, and goes on when a person has decided', () =>
    withPair(async (pair) => {
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        pair.commitToSlave('only here');
        pair.commit('only there');
        await stays(pair);
        const full = pair.sync('--full');
        assert.equal(full.exit, 0, full.all);
        pair.commit('and on');
        await untilInStep(pair);
      });
      const refusals = run.records.filter(({ level }) => level === 'error');
      assert.equal(refusals.length, 1, run.all);
      assert.match(refusals[0]?.msg ?? '', /has grown since last syncing|no continuation/);
    }));

  it('goes on beside the syncs of cron', () =>
    withPair(async (pair) => {
      const run = await watching(pair, async () => {
        for (let n = 0; n < 15; n++) {
          pair.commit(`commit ${n}`);
          const sync = pair.sync();
          assert.equal(sync.exit, 0, sync.all);
        }
        await untilInStep(pair);
      });
      assert.deepEqual(
        run.records.filter(({ level }) => level === 'error' || level === 'warn'),
        [],
      );
    }));

  it('reports a master that is not there, and goes on when it is back', () =>
    withPair(async (pair) => {
      const away = join(pair.directory, 'away');
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        pair.site.close();
        renameSync(pair.master, away);
        await eventually('it is out of reach', () => outcomeOf(pair).includes('out-of-reach'));
        renameSync(away, pair.master);
        await eventually('it is in step again', () => outcomeOf(pair).includes('trouble none'));
      });
      const errors = run.records.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, run.all);
      assert.match(errors[0]?.msg ?? '', /out of reach/);
    }));

  it('notices that another program has changed the slave', () =>
    withPair(async (pair) => {
      await watching(pair, async () => {
        await untilInStep(pair);
        await sleep(A_WHILE_MS);
        const bytes = readFileSync(pair.slaveFile);
        writeFileSync(pair.slaveFile, bytes.subarray(0, bytes.length - 50));
        await untilInStep(pair);
      });
    }));

  it('goes on when the slave cannot even be looked at, and follows when it can', () =>
    withPair(async (pair) => {
      const away = join(pair.directory, 'away');
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        await sleep(A_WHILE_MS);
        renameSync(pair.slave, away);
        symlinkSync(pair.slave, pair.slave);
        await sleep(A_WHILE_MS);
        unlinkSync(pair.slave);
        renameSync(away, pair.slave);
        pair.commit('and then');
        await untilInStep(pair);
      });
      const errors = run.records.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, run.all);
      assert.match(errors[0]?.msg ?? '', /ELOOP/);
    }));

  it('notices at once that the master was rolled back in place to as many bytes', () =>
    withPair(async (pair) => {
      const before = readFileSync(pair.masterFile);
      pair.commit('page');
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        await sleep(A_WHILE_MS);
        pair.site.close();
        const size = statSync(pair.masterFile).size;
        writeFileSync(pair.masterFile, before);
        pair.site = Site.open(pair.masterFile, { clock: pair.clock });
        pair.commit('PAGE');
        assert.equal(statSync(pair.masterFile).size, size);
        await eventually('it is refused', () => outcomeOf(pair).includes('trouble forked'));
      });
      assert.match(run.all, /the master lacks the slave's last transaction/);
    }));

  it('ends with 2 when it is called wrongly', () =>
    withPair(async (pair) => {
      for (const wrong of [['--interval', '0s'], ['--interval', '2'], ['--interval', '2h'], ['--full']]) {
        const run = syncpozo(['watch', pair.master, pair.slave, ...wrong]);
        assert.equal(run.exit, 2, run.all);
      }
    }));
});

async function stays(pair: Pair): Promise<void> {
  const before = readFileSync(pair.slaveFile);
  await sleep(A_WHILE_MS);
  assert.ok(readFileSync(pair.slaveFile).equals(before), 'the slave is left as it is');
}

function outcomeOf(pair: Pair): string {
  const path = `${pair.slaveFile}.outcome`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Puts a program before flock in the PATH that counts its calls. */
function countFlockCalls(pair: Pair): () => number {
  const bin = join(pair.directory, 'bin');
  const counter = join(pair.directory, 'calls');
  mkdirSync(bin);
  writeFileSync(counter, '');
  writeFileSync(join(bin, 'flock'), `#!/bin/sh\nprintf x >>${counter}\nPATH=/usr/bin:/bin exec flock "$@"\n`);
  chmodSync(join(bin, 'flock'), 0o755);
  return () => statSync(counter).size;
}
