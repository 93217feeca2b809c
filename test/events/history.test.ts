import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENT_NAMES, makeEvent, type SlaveEvent } from '../../src/events/event.js';
import { readHistory, recordEvents } from '../../src/events/history.js';
import { type Log, SILENT } from '../../src/report/log.js';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import { xxh64 } from '../support/chunks.js';
import { syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';
import { needsMounts, withMounts } from '../support/powers.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';

const AT = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
const LARGEST = 65_536;

function eventAt(number: number, text = 'something'): SlaveEvent {
  const of = { storage: number % 2 ? 'main' : undefined, slave: '/srv/zeo/var/Data.fs' };
  const name = EVENT_NAMES[number % EVENT_NAMES.length]!;
  return makeEvent(name, AT + number * 1000, of, text, { number, text, nothing: null, yes: true });
}

async function withSlave(use: (paths: SlavePaths) => void): Promise<void> {
  await withTempDir((directory) => use(slavePaths(directory, 'Data.fs')));
}

/** A log that keeps its warnings. */
function warnings(): Log & { readonly texts: string[] } {
  const texts: string[] = [];
  return { ...SILENT, warn: (_, message) => void texts.push(message), texts };
}

function names(paths: SlavePaths): string[] {
  return readdirSync(paths.directory).sort();
}

describe('Data.fs.events', () => {
  it('has a line of JSON for each event, in their order, and is read back as it was', () =>
    withSlave((paths) => {
      assert.deepEqual(readHistory(paths), { events: [], problem: undefined });
      const events = [0, 1, 2].map((number) => eventAt(number, 'a "quote", two\nlines, \u0085 and \u{1f600}'));
      recordEvents(paths, events.slice(0, 2), SILENT);
      recordEvents(paths, [], SILENT);
      recordEvents(paths, events.slice(2), SILENT);
      assert.deepEqual(readHistory(paths).events, events);
      const lines = readFileSync(paths.events, 'utf8').split('\n');
      assert.deepEqual(
        lines.slice(0, -1).map((line) => JSON.parse(line) as unknown),
        events,
      );
      assert.deepEqual(names(paths), ['Data.fs.events']);
      assert.equal(statSync(paths.events).mode & 0o777, 0o644);
    }));

  it('is bounded, and has the newest events without a gap', () =>
    withSlave((paths) => {
      const random = new Random(7);
      let number = 0;
      for (let turn = 0; turn < 1500; turn++) {
        const events = Array.from({ length: 1 + random.below(3) }, () =>
          eventAt(number++, 'x'.repeat(random.below(1500))),
        );
        recordEvents(paths, events, SILENT);
        if (turn % 50 > 0) continue;
        assert.ok(statSync(paths.events).size <= LARGEST);
        const kept = readHistory(paths).events.map(({ facts }) => Number(facts['number']));
        assert.ok(kept.length <= 200);
        assert.deepEqual(
          kept,
          Array.from({ length: kept.length }, (_, n) => number - kept.length + n),
        );
        assert.ok(kept.length >= Math.min(number, 10));
      }
      for (let more = 0; more < 300; more++) recordEvents(paths, [eventAt(number++, '')], SILENT);
      const { length } = readHistory(paths).events;
      assert.ok(length >= 100 && length <= 200, String(length));
      assert.deepEqual(names(paths), ['Data.fs.events']);
    }));

  it('with a torn last line starts a new one with the others, and the old one is kept', () =>
    withSlave((paths) => {
      recordEvents(paths, [eventAt(0), eventAt(1)], SILENT);
      truncateSync(paths.events, statSync(paths.events).size - 5);
      const torn = readFileSync(paths.events);
      const { events, problem } = readHistory(paths);
      assert.deepEqual(events, [eventAt(0)]);
      assert.match(problem ?? '', /^1 of its 2 lines are no events$/);
      const log = warnings();
      recordEvents(paths, [eventAt(2)], log);
      assert.equal(log.texts.length, 1);
      assert.ok(log.texts[0]!.includes(`${paths.events}.damaged`), log.texts[0]);
      assert.deepEqual(readHistory(paths), { events: [eventAt(0), eventAt(2)], problem: undefined });
      assert.ok(readFileSync(`${paths.events}.damaged`).equals(torn));
    }));

  it('cut anywhere, or with any byte changed, is read, and written to', () =>
    withSlave((paths) => {
      recordEvents(paths, [eventAt(0), eventAt(1), eventAt(2)], SILENT);
      const whole = readFileSync(paths.events);
      const random = new Random(3);
      for (let turn = 0; turn < 400; turn++) {
        const bytes = Buffer.from(whole.subarray(0, turn % 2 ? random.below(whole.length) : whole.length));
        if (turn % 2 === 0) bytes[random.below(bytes.length)] = random.below(256);
        writeFileSync(paths.events, bytes);
        const before = readHistory(paths).events;
        recordEvents(paths, [eventAt(9)], SILENT);
        assert.deepEqual(readHistory(paths), { events: [...before, eventAt(9)], problem: undefined });
      }
    }));

  const HOSTILE: readonly (readonly [name: string, make: (path: string) => void])[] = [
    ['JSON that is no event', (path) => writeFileSync(path, '[]\nnull\n{}\n{"name":"fork"}\n"x"\n')],
    [
      'the name of an event of another version',
      (path) => writeFileSync(path, `${JSON.stringify({ ...eventAt(0), name: 'moved' })}\n`),
    ],
    [
      'facts that are objects',
      (path) => writeFileSync(path, `${JSON.stringify({ ...eventAt(0), facts: { a: {} } })}\n`),
    ],
    [
      'a time that is none',
      (path) => writeFileSync(path, `${JSON.stringify({ ...eventAt(0), time: '2026-99-07T08:09:10.011Z' })}\n`),
    ],
    [
      '100 MB',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 100_000_000);
      },
    ],
    ['nested too deep for a parser', (path) => writeFileSync(path, `${'['.repeat(60_000)}\n`)],
    [
      'a directory',
      (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'x'), 'x');
      },
    ],
    ['a named pipe', (path) => void execFileSync('mkfifo', [path])],
  ];
  for (const [name, make] of HOSTILE)
    it(`${name} at its path is moved aside, and said`, () =>
      withSlave((paths) => {
        make(paths.events);
        assert.notEqual(readHistory(paths).problem, undefined);
        const log = warnings();
        recordEvents(paths, [eventAt(1)], log);
        assert.equal(log.texts.length, 1);
        assert.deepEqual(readHistory(paths), { events: [eventAt(1)], problem: undefined });
        assert.deepEqual(names(paths), ['Data.fs.events', 'Data.fs.events.damaged']);
      }));

  it('a symbolic link is moved aside, and its target is not read or written', () =>
    withSlave((paths) => {
      const other = join(paths.directory, 'other');
      writeFileSync(other, `${JSON.stringify(eventAt(0))}\n`);
      symlinkSync(other, paths.events);
      assert.deepEqual(readHistory(paths).events, []);
      recordEvents(paths, [eventAt(1)], SILENT);
      assert.equal(readFileSync(other, 'utf8'), `${JSON.stringify(eventAt(0))}\n`);
      assert.equal(readlinkSync(`${paths.events}.damaged`), other);
      assert.deepEqual(readHistory(paths).events, [eventAt(1)]);
    }));

  it('a file with a second name is replaced, and the other name keeps its bytes', () =>
    withSlave((paths) => {
      recordEvents(paths, [eventAt(0)], SILENT);
      const other = join(paths.directory, 'other');
      linkSync(paths.events, other);
      recordEvents(paths, [eventAt(1)], SILENT);
      assert.equal(readFileSync(other, 'utf8'), `${JSON.stringify(eventAt(0))}\n`);
      assert.deepEqual(readHistory(paths).events, [eventAt(0), eventAt(1)]);
    }));

  it('in a directory that is gone: a warning, and no fault', () =>
    withSlave((paths) => {
      rmSync(paths.directory, { recursive: true });
      const log = warnings();
      recordEvents(paths, [eventAt(0)], log);
      assert.match(log.texts.join(), /^the events could not be recorded, .*ENOENT/);
      mkdirSync(paths.directory);
    }));

  it('where nothing can be moved aside: a warning, and no fault', () =>
    withSlave((paths) => {
      mkdirSync(`${paths.events}.damaged`);
      writeFileSync(join(`${paths.events}.damaged`, 'x'), '');
      appendFileSync(paths.events, 'no event\n');
      const log = warnings();
      recordEvents(paths, [eventAt(0)], log);
      assert.match(log.texts.join(), /^the events could not be recorded, /);
      chmodSync(paths.events, 0o644);
      assert.equal(readFileSync(paths.events, 'utf8'), 'no event\n');
    }));
});

describe('a history that cannot be written', { skip: needsMounts ?? false }, () => {
  const filled = [
    'mount -t tmpfs none /mnt',
    'cp -a "$SLAVE" /mnt/',
    'mount -t tmpfs -o size=64k none "$SLAVE"',
    'cp -a /mnt/slave/. "$SLAVE"',
    'head -c 1000000 /dev/zero >"$SLAVE/fill" 2>/dev/null || true',
  ].join('\n');
  const disks = [
    {
      name: 'a read-only file system',
      script: 'mount --bind "$SLAVE" "$SLAVE" && mount -o remount,ro,bind "$SLAVE"',
      exit: 1,
    },
    { name: 'a full one', script: filled, exit: 3 },
  ];
  for (const { name, script, exit } of disks)
    it(`${name}: each run is the event, for a fault by the time of the last record, and ends as it does without a history`, () =>
      withPair((pair) => {
        pair.synced().commitToSlave('only here');
        // Longer ago than a fault has to last.
        const outcome = `${pair.slaveFile}.outcome`;
        const body = readFileSync(outcome, 'utf8')
          .replace(/end .*\n$/, '')
          .replace(/\d{4}-\S+Z/g, '2026-06-07T08:09:10.011Z');
        writeFileSync(outcome, `${body}end ${xxh64(Buffer.from(body))}\n`);
        const through = withMounts(`SLAVE='${pair.slave}'\n${script}`);
        for (let run = 0; run < 2; run++) {
          const { exit: status, records, all } = syncpozo(pair.syncArgs(), { through });
          assert.equal(status, exit, all);
          assert.equal(existsSync(`${pair.slaveFile}.events`), false);
          assert.ok(
            records.some(({ msg }) => msg.startsWith('the events could not be recorded')),
            all,
          );
          const events = records.filter(({ event }) => event !== undefined);
          assert.deepEqual(
            events.map(({ event }) => event),
            [exit === 1 ? 'fault' : 'refusal'],
            all,
          );
        }
      }));
});
