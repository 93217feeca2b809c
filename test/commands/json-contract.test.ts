import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { parseContract, Sightings } from '../support/json-contract.js';
import { fork, type Scenes, SYNC } from '../support/json-scenes.js';
import {
  PROMOTE_WITH_BLOBS,
  RESTORE_WITH_BLOBS,
  STATUS_OF_BLOBS,
  SYNC_OF_BLOBS,
  VERIFY_OF_BLOBS,
  withBlobs,
} from '../support/json-scenes-blobs.js';
import { CONFIG } from '../support/json-scenes-config.js';
import { EXTRACT } from '../support/json-scenes-extract.js';
import { COMPARE } from '../support/json-scenes-lineages.js';
import { REJOIN } from '../support/json-scenes-rejoin.js';
import { STATUS } from '../support/json-scenes-status.js';
import {
  DEMO,
  DEMOTE,
  INDEX,
  LOG,
  MAY_SERVE,
  PROMOTE,
  RESTORE,
  SWITCH,
  VERIFY,
} from '../support/json-scenes-takeover.js';
import { withPair } from '../support/pair.js';
import { inProject } from '../support/root.js';

const SECTIONS = parseContract(readFileSync(inProject('docs', 'json.md'), 'utf8'));

function sectionOf(heading: string) {
  const section = SECTIONS.get(heading);
  assert.ok(section, `docs/json.md has no section ${heading}`);
  return section;
}

interface Command {
  readonly heading: string;
  readonly scenes: Scenes;
  /** What is documented and no scene here can produce, with the reason. */
  readonly never?: Readonly<Record<string, string>>;
}

const COMMANDS: readonly Command[] = [
  { heading: 'syncpozo sync', scenes: { ...SYNC, ...SYNC_OF_BLOBS } },
  {
    heading: 'syncpozo status',
    scenes: { ...STATUS, ...STATUS_OF_BLOBS },
    never: {
      'lag.transactions: null': 'a watch counts none while its round is running',
      'lag.bytes: null': 'a watch counts none while its round is running',
      'events[].storage: string': 'a storage has a name in a configuration only',
    },
  },
  { heading: 'syncpozo compare', scenes: COMPARE },
  { heading: 'syncpozo verify', scenes: { ...VERIFY, ...VERIFY_OF_BLOBS } },
  {
    heading: 'syncpozo promote',
    scenes: { ...PROMOTE, ...PROMOTE_WITH_BLOBS },
    never: { 'sync.how: "left hanging"': 'needs a mount that hangs: test/faults/hanging-master' },
  },
  { heading: 'syncpozo may-serve', scenes: MAY_SERVE },
  { heading: 'syncpozo rejoin', scenes: REJOIN },
  { heading: 'syncpozo demote', scenes: DEMOTE },
  { heading: 'syncpozo on, syncpozo off', scenes: SWITCH },
  { heading: 'syncpozo index', scenes: INDEX },
  {
    heading: 'syncpozo restore',
    scenes: { ...RESTORE, ...RESTORE_WITH_BLOBS },
    never: { 'packed.time: null': 'needs a pack of transactions whose tids name no time' },
  },
  { heading: 'syncpozo log', scenes: LOG },
  { heading: 'syncpozo extract', scenes: EXTRACT },
  { heading: 'syncpozo config', scenes: CONFIG },
  {
    heading: 'syncpozo demo',
    scenes: DEMO,
    never: { 'steps[].checks[].instead: string': 'only of a step that is not as expected' },
  },
];

const LOGGING: ReadonlySet<string> = new Set(['syncpozo sync', 'syncpozo index']);
const logged = new Sightings(sectionOf('Log lines').fields, true);

/** The exit status that an object names, if it names one. */
function statusIn({ json }: Run): number | undefined {
  if (json.answer) return json.answer.ok ? 0 : 3;
  return json.exitCode ?? json.check?.exitCode;
}

describe('docs/json.md is what the program prints, and all of it:', () => {
  for (const { heading, scenes, never = {} } of COMMANDS)
    it(heading, async () => {
      const { fields, examples } = sectionOf(heading);
      const sightings = new Sightings(fields);
      for (const [name, play] of Object.entries(scenes))
        await withPair((pair) =>
          play(pair, (run) => {
            assertNoCrash(run);
            sightings.add(run.json, name);
            assert.equal(run.exit, statusIn(run) ?? 0, run.all);
            if (LOGGING.has(heading)) for (const record of run.records) logged.add(record, name);
          }),
        );
      assert.deepEqual(sightings.wrong, []);
      assert.deepEqual(sightings.unseen, Object.keys(never));
      const shown = new Sightings(fields);
      for (const example of examples) shown.add(example, 'the example');
      assert.deepEqual(shown.wrong, []);
      assert.equal(examples.length, 1, 'one example');
    });

  it('the fields of log lines', async () => {
    await withConfigured(['main'], (configured) => {
      for (const record of configured.run('sync').records) logged.add(record, 'a storage');
    });
    assert.deepEqual(logged.wrong, []);
    assert.deepEqual(logged.unseen, ['level: "debug"'], 'nothing is logged at the level debug so far');
  });

  it('the figures for Prometheus', () =>
    withPair((pair) => {
      fork(pair);
      pair.synced('--full', '--scrub', 'full');
      pair.commitToSlave('only here');
      pair.sync();
      const args = ['status', pair.slave, '--status-file', pair.statusFile, '--prometheus', '--master', pair.master];
      const names = (text: string): string[] =>
        [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name = '']) => name);
      const seen = new Set(names(syncpozo(args).stdout));
      pair.synced('--full').synced('--scrub', 'full');
      withBlobs(pair).sync();
      writeFileSync(join(pair.slave, 'lost-040d3aab1c2d3e44-040d3aab1c2d3e45.fs'), '');
      for (const name of names(syncpozo(args).stdout)) seen.add(name);
      assert.deepEqual(
        [...seen].sort(),
        [...sectionOf('Prometheus').names].filter((name) => /^syncpozo/.test(name)).sort(),
      );
    }));
});

const SMALL = `## a command

| field | type | meaning |
| --- | --- | --- |
| \`kind\` | \`"a"\\|"b"\` or null | a value |
| \`list\` | object list | objects |
| \`list[].x\`, \`list[].y\` | integer | counts |
| \`extra\` | string, not always there | a text |
`;

describe('the check of the contract itself reports', () => {
  const check = (...values: object[]): Sightings => {
    const sightings = new Sightings(parseContract(SMALL).get('a command')!.fields);
    for (const value of values) sightings.add(value, 'run');
    return sightings;
  };

  it('what is not documented, is missing, or is of another type', () => {
    const value = { kind: 'c', list: [{ x: -1, z: 0 }], more: true };
    assert.deepEqual(check(value).wrong, [
      'run: kind is "c", documented is "a" or "b" or null',
      'run: list[].x is -1, documented is integer',
      'run: list[].z is not documented',
      'run: list[].y is missing',
      'run: more is not documented',
    ]);
  });

  it('what was never seen', () => {
    const { wrong, unseen } = check({ kind: 'a', list: [] }, { kind: null, list: [] });
    assert.deepEqual(wrong, []);
    assert.deepEqual(unseen, ['kind: "b"', 'list[].x: integer', 'list[].y: integer', 'extra: string']);
  });

  it('a type that is none, and a field that is documented twice', () => {
    assert.throws(() => parseContract(SMALL.replace('string,', 'text,')), /knows no type text/);
    assert.throws(() => parseContract(SMALL.replace('list[].y', 'kind')), /has kind of a command twice/);
  });
});

describe('standard output stays empty, with --json as well,', () => {
  const NAMES = [
    'sync',
    'status',
    'compare',
    'verify',
    'promote',
    'may-serve',
    'demote',
    'on',
    'off',
    'index',
    'log',
    'extract',
    'config',
    'demo',
  ];
  for (const name of NAMES)
    it(`after a mistake in the options of ${name}`, () => {
      const run = syncpozo([name, '--json', '--nonsense']);
      assert.deepEqual([run.exit, run.stdout], [2, ''], run.all);
    });

  const NOWHERE: Readonly<Record<string, number>> = {
    status: 2,
    'status --max-age 60': 3,
    'status --max-age 60 --prometheus': 3,
    verify: 2,
    promote: 2,
    'may-serve': 2,
    demote: 2,
    log: 2,
  };
  for (const [command, exit] of Object.entries(NOWHERE))
    it(`where a path is not there: ${command}`, () =>
      withPair((pair) => {
        const args = command.split(' ');
        const nowhere = join(pair.slave, 'nowhere', 'x');
        const form = args.includes('--prometheus') ? [] : ['--json'];
        const file = ['verify', 'log', 'may-serve'].includes(command) ? [] : ['--status-file', pair.statusFile];
        const run = syncpozo([args[0] ?? '', nowhere, ...args.slice(1), ...form, ...file]);
        assertNoCrash(run);
        assert.deepEqual([run.exit, run.stdout], [exit, ''], run.all);
        assert.notEqual(run.stderr, '');
      }));

  it('after a fault: off', () =>
    withPair((pair) => {
      const run = syncpozo(['off', '--json', '--status-file', join(pair.directory, 'no', 'status')]);
      assert.deepEqual([run.exit, run.stdout], [1, ''], run.all);
    }));

  it('where status writes into a file, which gets the object', () =>
    withPair((pair) => {
      const file = join(pair.directory, 'status.json');
      writeFileSync(file, 'older');
      const args = ['status', pair.synced().slave, '--json', '--output', file, '--status-file', pair.statusFile];
      const run = syncpozo(args);
      assert.deepEqual([run.exit, run.stdout, run.stderr], [0, '', '']);
      const sightings = new Sightings(sectionOf('syncpozo status').fields);
      sightings.add(JSON.parse(readFileSync(file, 'utf8')), 'the file');
      assert.deepEqual(sightings.wrong, []);
    }));
});
