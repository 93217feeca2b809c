import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHistory } from '../../src/events/history.js';
import { TRANSACTION_HEADER_LENGTH } from '../../src/filestorage/layout.js';
import { isDying } from '../../src/io/dying.js';
import { formatOutcome, readOutcome } from '../../src/standby/outcome-file.js';
import { slavePaths } from '../../src/standby/paths.js';
import { Running, syncpozo } from '../support/cli.js';
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

  it('records it as a fault, which is an event once it has lasted, and the end of it as well', () =>
    withMount(async (pair, mount) => {
      const args = [...watchArgs(pair, mount.point), '--timeout', '1'];
      const run = await watching(
        pair,
        async () => {
          await untilInStep(pair);
          mount.hangBeyond(0);
          pair.commit('while it hangs');
          const recorded = () => readOutcome({ outcome: `${pair.slaveFile}.outcome` });
          const isOutOfReach = (): boolean => {
            const file = recorded();
            return 'outcome' in file && file.outcome.trouble?.kind === 'out-of-reach';
          };
          await eventually('the outcome says so', isOutOfReach);
          const status = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--json']);
          assert.equal(status.json.state, 'out-of-reach');
          assert.match(status.json.stateReason, /has not answered since 20/);
          setBackMinutes(`${pair.slaveFile}.outcome`, 1);
          const events = () => readHistory(slavePaths(pair.slave, undefined)).events.map(({ name }) => name);
          await eventually('an event', () => events().includes('fault'));
          mount.answer();
          await untilInStep(pair);
          await eventually('its end', () => events().includes('in-step'));
          assert.deepEqual(events(), ['fault', 'in-step']);
        },
        { args },
      );
      const logged = run.records.flatMap(({ event }) => event ?? []);
      assert.deepEqual(logged, ['fault', 'in-step'], run.all);
    }));

  it('is no fault where SIGTERM ends the watch before the read is given up', () =>
    withMount(async (pair, mount) => {
      const outcome = (): string => readFileSync(`${pair.slaveFile}.outcome`, 'utf8');
      let before = '';
      const watch = Running.start(watchArgs(pair, mount.point));
      await untilInStep(pair);
      pair.commit('a round');
      await untilInStep(pair);
      await eventually('it is recorded', () => outcome().includes(' append'));
      // The check reads the header of what is new; the round reads the rest.
      mount.hangBeyond(readFileSync(pair.slaveFile).length + TRANSACTION_HEADER_LENGTH);
      before = outcome();
      pair.commit('never seen');
      await eventually('a read hangs', () => mount.holdsARead);
      watch.signal('SIGTERM');
      mount.answer();
      const run = await watch.end();
      assert.equal(run.exit, 0, run.all);
      const messages = run.records.map(({ level, msg }) => `${level}: ${msg}`);
      assert.ok(!messages.some((text) => /^(error|warn)/.test(text)), run.all);
      assert.equal(outcome(), before);
      assert.ok(!run.stdout.includes('interrupted'), run.all);
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

/** Makes the trouble that the record of an outcome has begin earlier. */
function setBackMinutes(path: string, minutes: number): void {
  const file = readOutcome({ outcome: path });
  assert.ok('outcome' in file);
  const { trouble } = file.outcome.raised ?? {};
  assert.ok(file.outcome.raised && trouble);
  const earlier = { ...trouble, since: trouble.since - minutes * 60_000 };
  writeFileSync(path, formatOutcome({ ...file.outcome, raised: { ...file.outcome.raised, trouble: earlier } }));
}
