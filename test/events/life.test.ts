import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promoteWithEvents } from '../../src/commands/promote-events.js';
import { hooksOf } from '../../src/events/hooks.js';
import { SILENT } from '../../src/report/log.js';
import { runSync } from '../../src/round/run-sync.js';
import { assertEnd, assertNoCrash, type LogRecord, PROGRAM, type Run, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { asNobody, NOBODY, needsOtherUser } from '../support/powers.js';
import { assertPromoted, eventually, promote, roleOf } from '../support/promotion.js';

/** Reads the history independently of the program. */
function recorded(pair: Pair): { name: string; message: string; facts: Record<string, unknown> }[] {
  const lines = readFileSync(`${pair.slaveFile}.events`, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

function eventsIn(records: readonly LogRecord[]): unknown[] {
  return records.filter(({ event }) => event !== undefined).map(({ event }) => event);
}

function status(pair: Pair, ...more: string[]): Run {
  return syncpozo(['status', pair.slave, '--status-file', pair.statusFile, ...more]);
}

function hook(pair: Pair, text: string, name = 'hook'): string {
  const path = join(pair.directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

describe('a sync', () => {
  it('in step writes no event', () =>
    withPair((pair) => {
      pair.synced().commit('more');
      const run = pair.sync();
      assert.deepEqual(eventsIn(run.records), []);
      assert.throws(() => recorded(pair), /ENOENT/);
      const { json } = status(pair, '--json');
      assert.deepEqual([json.events, json.eventsProblem], [[], null]);
    }));

  it('that is refused is an event in the log, in the history and in status, once; so is its end', () =>
    withPair((pair) => {
      pair.synced().commitToSlave('only here');
      const first = pair.sync();
      assertEnd(first, { exit: 3, action: 'refused' });
      assert.deepEqual(eventsIn(first.records), ['refusal']);
      const [record] = first.records.filter(({ event }) => event === 'refusal');
      assert.deepEqual(
        [record?.level, record?.msg, record?.['slave']],
        ['warn', 'a trouble begins: refusal', pair.slaveFile],
      );
      assert.deepEqual([record?.['onlySlave'], record?.['onlyMaster']], [1, 0]);
      const [event, ...others] = recorded(pair);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [event?.name, event?.message, event?.facts['hint']],
        ['refusal', first.json.reason, first.json.hint],
      );
      assert.deepEqual(eventsIn(pair.sync().records), [], 'not with every run');

      pair.commit('only there');
      assert.deepEqual(eventsIn(pair.sync().records), ['fork']);
      const end = pair.sync('--full');
      assertEnd(end, { exit: 0, action: 'rebuild' });
      assert.deepEqual(eventsIn(end.records), ['rebuild', 'in-step']);
      assert.deepEqual(
        recorded(pair).map(({ name }) => name),
        ['refusal', 'fork', 'rebuild', 'in-step'],
      );
      assert.equal(recorded(pair).at(-1)?.facts['since'], event?.facts['since']);

      const { json } = status(pair, '--json');
      assert.deepEqual(
        json.events.map(({ name }: { name: string }) => name),
        ['refusal', 'fork', 'rebuild', 'in-step'],
      );
      assert.deepEqual(json.events, recorded(pair));
      const text = status(pair)
        .stdout.split('\n')
        .filter((line) => line.startsWith('event:'));
      assert.equal(text.length, 4);
      assert.match(text.at(-1) ?? '', /^event: +\S+Z, in-step: the slave is in step again, after /);
      pair.assertNothingNew();
      assert.deepEqual(eventsIn(pair.sync().records), []);
    }));

  it('that finds the master damaged, or the slave in use', () =>
    withPair(async (pair) => {
      pair.synced();
      const good = readFileSync(pair.masterFile);
      writeFileSync(pair.masterFile, 'no Data.fs');
      pair.sync();
      writeFileSync(pair.masterFile, good);
      pair.synced();
      await heldByOther(pair, ' PID\n', () => void pair.sync());
      pair.synced();
      assert.deepEqual(
        recorded(pair).map(({ name }) => name),
        ['damage', 'in-step', 'refusal', 'in-step'],
      );
    }));

  it('that fails is an event only if that lasts', () =>
    withPair((pair) => {
      pair.synced().commit('more');
      mkdirSync(`${pair.dat}.tmp`);
      assertEnd(pair.sync(), { exit: 1 });
      assertEnd(pair.sync(), { exit: 1 });
      rmSync(`${pair.dat}.tmp`, { recursive: true });
      pair.synced();
      assert.throws(() => recorded(pair), /ENOENT/);
    }));

  it('as a user who may not write into a history of root replaces it', { skip: needsOtherUser ?? false }, () =>
    withPair((pair) => {
      pair.synced().commitToSlave('only here');
      pair.sync();
      for (const name of [pair.slave, pair.slaveFile, pair.dat, `${pair.slaveFile}.role`, `${pair.slaveFile}.lock`])
        chownSync(name, NOBODY, NOBODY);
      chmodSync(pair.directory, 0o777);
      pair.commit('only there');
      const run = pair.syncWith({ through: asNobody });
      assert.equal(run.exit, 3, run.all);
      assert.deepEqual(
        recorded(pair).map(({ name }) => name),
        ['refusal', 'fork'],
      );
      assert.equal(statSync(`${pair.slaveFile}.events`).uid, NOBODY);
    }),
  );

  it('with a dry run, and one that is switched off, writes none', () =>
    withPair((pair) => {
      pair.synced().commitToSlave('only here');
      assert.deepEqual(eventsIn(pair.sync('--dry-run').records), []);
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      assert.deepEqual(eventsIn(pair.sync().records), []);
      assert.throws(() => recorded(pair), /ENOENT/);
    }));

  it('hands its events on when the lock is released and all is recorded, with the name of the storage', () =>
    withPair(async (pair) => {
      pair.synced().commitToSlave('only here');
      const out = join(pair.directory, 'out');
      // Another sync within the hook gets the lock; the history and the outcome are there.
      const inner = `'${process.execPath}' '${PROGRAM}' sync '${pair.master}' '${pair.slave}' --json --quiet --status-file '${pair.statusFile}'`;
      const path = hook(
        pair,
        `{ echo "$SYNCPOZO_STORAGE"; ${inner} 2>/dev/null; echo; grep -c refusal '${pair.slaveFile}.events'; } >'${out}'`,
      );
      const hooks = hooksOf({ commands: { refusal: [path] }, timeoutSeconds: 30 }, SILENT);
      const { master, slave, statusFile } = pair;
      const result = await runSync({
        master,
        slave,
        statusFile,
        storage: 'main',
        workers: 0,
        onEvents: (events) => hooks.emit(events),
      });
      assert.equal(result.exitCode, 3);
      await hooks.settled();
      const [storage, json = '', , count] = readFileSync(out, 'utf8').split('\n');
      assert.deepEqual([storage, count], ['main', '1']);
      assert.equal(JSON.parse(json).exitCode, 3, 'it had the lock, and found the same');
    }));
});

describe('promote', () => {
  it('is an event, and so is a loss; not again of a slave that was promoted before', () =>
    withPair((pair) => {
      pair.synced().commit('lost');
      const log = join(pair.directory, 'log');
      const run = promote(pair, '--log-file', log);
      assertPromoted(pair, run);
      assert.deepEqual(
        recorded(pair).map(({ name }) => name),
        ['promoted', 'loss'],
      );
      const records = readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LogRecord);
      assert.deepEqual(eventsIn(records), ['promoted', 'loss']);
      assert.match(status(pair).stdout, /^event: +\S+Z, loss: transactions after \w+ may be lost: /m);
      promote(pair);
      assert.equal(recorded(pair).length, 2);
    }));

  it('takes --skip-hooks, and names it in its help', () =>
    withPair((pair) => {
      assertPromoted(pair, promote(pair.synced(), '--skip-hooks'));
      assert.match(syncpozo(['promote', '--help']).stdout, /--skip-hooks/);
    }));

  const optionsOf = ({ slave, statusFile }: Pair) => ({ slave, statusFile, graceSeconds: 1, verify: false });
  const reporting = (commands: Readonly<Record<string, readonly string[]>>, skipHooks = false) => ({
    hooks: hooksOf({ commands, timeoutSeconds: 30 }, SILENT),
    skipHooks,
    log: SILENT,
  });

  const VETOES: readonly (readonly [name: string, hookOf: (pair: Pair) => string, reason: RegExp, hint: RegExp])[] = [
    [
      'forbids it',
      (pair) => hook(pair, 'echo the master is alive; exit 1'),
      /ended with 1 .*: the master is alive$/,
      /--skip-hooks/,
    ],
    [
      'cannot be run',
      (pair) => join(pair.directory, 'missing'),
      /cannot be run: .*\/missing/,
      /\/missing.*--skip-hooks/,
    ],
  ];
  for (const [name, hookOf, reason, hint] of VETOES)
    it(`changes nothing if before-promote ${name}, unless it is skipped`, () =>
      withPair(async (pair) => {
        pair.synced();
        const commands = { 'before-promote': [hookOf(pair)] };
        const before = readFileSync(pair.slaveFile);
        const result = await promoteWithEvents(optionsOf(pair), reporting(commands));
        assert.deepEqual([result.exitCode, result.promoted, result.switch], [3, false, null]);
        assert.match(result.reason ?? '', reason);
        assert.match(result.hint ?? '', hint);
        assert.ok(readFileSync(pair.slaveFile).equals(before));
        assert.notEqual(roleOf(pair), 'master');
        assert.throws(() => readFileSync(pair.statusFile), /ENOENT/, 'the switch is as it was');
        assert.throws(() => recorded(pair), /ENOENT/);
        pair.assertNothingNew();
        const skipped = await promoteWithEvents(optionsOf(pair), reporting(commands, true));
        assert.deepEqual([skipped.exitCode, skipped.promoted], [0, true]);
        const again = await promoteWithEvents(optionsOf(pair), reporting(commands));
        assert.deepEqual([again.exitCode, again.already], [0, true], 'it was promoted before: the hook is not asked');
      }));

  it('starts the hooks of its events, and does not wait for them', () =>
    withPair(async (pair) => {
      pair.synced();
      const out = join(pair.directory, 'out');
      const path = hook(
        pair,
        `while [ ! -e '${out}.go' ]; do sleep 0.05; done; echo "$SYNCPOZO_EVENT $SYNCPOZO_LOSS" >>'${out}'`,
      );
      const result = await promoteWithEvents(optionsOf(pair), reporting({ promoted: [path], loss: [path] }));
      assert.equal(result.promoted, true);
      assert.throws(() => readFileSync(out), /ENOENT/);
      writeFileSync(`${out}.go`, '');
      const lines = () => readFileSync(out, 'utf8').split('\n').slice(0, -1).sort();
      await eventually(() => {
        try {
          return lines().length === 2;
        } catch {
          return false;
        }
      });
      assert.deepEqual(lines(), ['loss possible', 'promoted possible']);
    }));

  it('of a slave that is none is refused without the hook', () =>
    withPair((pair) => {
      const run = syncpozo(['promote', join(pair.directory, 'nowhere'), '--status-file', pair.statusFile]);
      assertNoCrash(run);
      assert.equal(run.exit, 2);
    }));
});
