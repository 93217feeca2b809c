import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDying } from '../../src/io/dying.js';
import { Running } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { needsFuse, withMount } from '../support/hanging-mount.js';
import { isInStep, sizeOf, untilInStep, watchArgs, watching } from './watching.js';

/** Threads and descriptors that may come and go by themselves: V8's, the log's. */
const SLACK = 3;
/** Reads that one round may begin before it finds that none returns, and the child processes that ask the mount. */
const FEW_READS = 6;

describe('a watch whose master hangs in mid-round', { skip: needsFuse ?? false }, () => {
  it('says so, leaves the read behind, goes on when the mount answers, and keeps nothing of it', () =>
    withMount(async (pair, mount) => {
      const args = [...watchArgs(pair, mount.point), '--timeout', '1'];
      let before = { descriptors: 0, threads: 0 };
      const run = await watching(
        pair,
        async (watch) => {
          await untilInStep(pair);
          pair.commit('so that it has done all that it does');
          await untilInStep(pair);
          before = sizeOf(watch);
          for (let times = 0; times < 2; times++) {
            mount.hangBeyond(0);
            pair.commit(`while it hangs ${times}`);
            await eventually('a read hangs', () => mount.holdsARead);
            await sleep(8000);
            assert.ok(mount.readsHeld <= FEW_READS * (times + 1), `${mount.readsHeld} reads hang`);
            assert.equal(isInStep(pair), false);
            mount.answer();
            await untilInStep(pair);
            pair.commit(`and it goes on ${times}`);
            await untilInStep(pair);
          }
          await eventually('what was left behind is given back', () => {
            const now = sizeOf(watch);
            return now.descriptors <= before.descriptors + SLACK && now.threads <= before.threads + SLACK;
          });
        },
        { args },
      );
      const messages = run.records.map(({ level, msg }) => `${level}: ${msg}`);
      assert.ok(
        messages.some((text) => /^error: .*no progress for 1 s; does its mount hang/.test(text)),
        run.all,
      );
      assert.equal(messages.filter((text) => text === "info: the master's mount answers again").length, 2, run.all);
    }));

  it('is ended by SIGTERM while it hangs', () =>
    withMount(async (pair, mount) => {
      const watch = Running.start([...watchArgs(pair, mount.point), '--timeout', '1']);
      await untilInStep(pair);
      mount.hangBeyond(0);
      pair.commit('never seen');
      await eventually('a read hangs', () => mount.holdsARead);
      await sleep(2500);
      watch.signal('SIGTERM');
      // The thread that hangs in the kernel keeps the remains of the process until the mount answers.
      await eventually('it has ended', () => watch.ended || isDying(String(watch.pid)), 5000);
      mount.answer();
      const run = await watch.end();
      assert.ok(run.exit === 0 || run.signal === 'SIGKILL', run.all);
      assert.equal(run.records.at(-1)?.msg, 'ended by a signal', run.all);
    }));
});
