import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertNoCrash, PROGRAM, syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';
import { inProject } from '../support/root.js';

const MISTAKES: readonly (readonly [readonly string[], RegExp])[] = [
  [['sync'], /missing required argument 'MASTER'/],
  [['sync', 'MASTER'], /missing required argument 'SLAVE'/],
  [['sync', 'M', 'S', 'T'], /too many arguments/],
  [['sync', 'M', 'S', '--nonsense'], /unknown option '--nonsense'/],
  [['sync', 'M', 'S', '--chunk-size', 'large'], /'--chunk-size.*'large' is invalid.*32MiB/],
  [['sync', 'M', 'S', '--chunk-size', '0'], /'0' is invalid/],
  [['sync', 'M', 'S', '--chunk-size', '-1MiB'], /is invalid/],
  [['sync', 'M', 'S', '--chunk-size', '99999999GiB'], /is invalid/],
  [['sync', 'M', 'S', '--scrub', 'all'], /'--scrub.*'all' is invalid.*0, full/],
  [['sync', 'M', 'S', '--scrub', '-1'], /'-1' is invalid/],
  [['sync', 'M', 'S', '--timeout', '0'], /'0' is invalid.*seconds/],
  [['sync', 'M', 'S', '--timeout', 'soon'], /'soon' is invalid/],
  [['sync', 'M', 'S', '--timeout'], /argument missing/],
  [['sync', 'M', 'S', '--workers', '1.5'], /'1\.5' is invalid/],
  [['sync', 'M', 'S', '--workers', '100000'], /'100000' is invalid/],
  [['sync', 'M', 'S', '--log-level', 'loud'], /'loud' is invalid/],
  [['sync', 'M', 'S', '--log-format', 'xml'], /'xml' is invalid/],
  [['status'], /missing required argument 'SLAVE'/],
  [['log'], /missing required argument 'FILE'/],
  [['log', 'F', '--from', 'yesterday'], /16 hexadecimal digits/],
  [['log', 'F', '-n', 'many'], /'many' is invalid/],
  [['off', 'now'], /too many arguments/],
  [['nonsense'], /unknown command 'nonsense'/],
  [['--nonsense'], /unknown option '--nonsense'/],
];

describe('a usage error ends with status 2, and refers to the help:', () => {
  for (const [args, message] of MISTAKES)
    it(`syncpozo ${args.join(' ')}`, () => {
      const run = syncpozo(args);
      assertNoCrash(run);
      assert.equal(run.exit, 2, run.all);
      assert.match(run.stderr, message);
      assert.match(run.stderr, /--help/);
      assert.equal(run.stdout, '');
    });

  it('syncpozo without a command prints its help to standard error', () => {
    const run = syncpozo([]);
    assert.equal(run.exit, 2, run.all);
    assert.match(run.stderr, /Usage: syncpozo/);
  });
});

const OPTIONS: readonly (readonly [string, readonly string[]])[] = [
  [
    'sync',
    [
      '--full',
      '--dry-run',
      '--json',
      '--status-file',
      '--file',
      '--chunk-size',
      '--scrub',
      '--workers',
      '--log-format',
      '--quiet',
    ],
  ],
  ['status', ['--master', '--json', '--status-file', '--file', '--timeout']],
  ['on', ['--json', '--status-file']],
  ['off', ['--json', '--status-file']],
  ['log', ['-n', '--from', '--to', '--json']],
  ['demo', ['--keep', '--json']],
  ['verify', ['--against', '--no-pointers', '--workers', '--file', '--timeout', '--json']],
  ['compare', ['-n', '--file', '--timeout', '--json']],
  [
    'promote',
    [
      '--master',
      '--catch-up',
      '--max-age',
      '--force',
      '--blobs',
      '--grace',
      '--patience',
      '--verify',
      '--on-loss',
      '--status-file',
      '--json',
    ],
  ],
  ['may-serve', ['--peer', '--patience', '--force', '--file', '--config', '--json']],
  ['demote', ['--status-file', '--file', '--json']],
  ['index', ['--workers', '--file', '--timeout', '--json', '--config', 'NAME']],
  ['config', ['--config', '--json', 'ACTION', 'KEY']],
];

/** The statuses that a command returns: each help lists these, and no other. */
const EXITS: Readonly<Record<string, string>> = {
  sync: '0 1 2 3 4 5',
  status: '0 1 2 3',
  on: '0 1 2',
  off: '0 1 2',
  log: '0 1 2',
  demo: '0 1 2',
  verify: '0 1 2 3 4',
  compare: '0 1 2 3 4',
  promote: '0 1 2 3 4 5',
  'may-serve': '0 1 2 3',
  demote: '0 1 2 3 5',
  index: '0 1 2 4 5',
  config: '0 1 2',
};

describe('--help', () => {
  for (const [command, options] of OPTIONS)
    it(`of ${command} lists its options, an example and the exit statuses`, () => {
      const run = syncpozo([command, '--help']);
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.stderr, '');
      for (const option of options) assert.ok(run.stdout.includes(option), `${option} is in\n${run.stdout}`);
      assert.match(run.stdout, new RegExp(`Example:\\n {2}syncpozo ${command}`));
      assert.match(run.stdout, /Exit status:\n {2}0 {2}\S/);
      const list = /\nExit status:\n(.*?)(\n\n|$)/s.exec(run.stdout)?.[1] ?? '';
      const statuses = [...list.matchAll(/^ {2}(\d) {2}\S/gm)].map(([, status]) => status);
      assert.equal(statuses.join(' '), EXITS[command]);
    });

  it('fits into a terminal of 80 columns, but for examples', () => {
    for (const [command] of OPTIONS) {
      const text = syncpozo([command, '--help']).stdout.replace(/^Example:\n(?: {2}.*\n)+/m, '');
      for (const shown of text.split('\n')) assert.ok(shown.length <= 80, shown);
    }
  });

  it('of the program lists every command', () => {
    const { exit, stdout } = syncpozo(['--help']);
    assert.equal(exit, 0);
    for (const [command] of OPTIONS) assert.match(stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
  });

  it('--version prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string };
    const run = syncpozo(['--version']);
    assert.deepEqual([run.exit, run.stdout, run.stderr], [0, `${version}\n`, '']);
  });
});

describe('a reader that closes the pipe early is no error', () => {
  const pipe = (command: string) =>
    spawnSync('bash', ['-c', `set -o pipefail; ${command}`, process.execPath, PROGRAM], { encoding: 'utf8' });

  for (const args of ['--help', 'sync --help'])
    it(`syncpozo ${args} | head -1`, () => {
      const { status, stdout, stderr } = pipe(`"$0" "$1" ${args} | head -1`);
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^Usage: syncpozo/);
    });

  it('syncpozo log FILE | head -1', () =>
    withPair((pair) => {
      for (let round = 0; round < 30; round++) pair.commit('a', 'b', 'c');
      const { status, stdout, stderr } = pipe(`"$0" "$1" log '${pair.master}' -n 1000 | head -1`);
      assert.deepEqual([status, stderr], [0, '']);
      assert.equal(stdout.split('\n').length, 2);
    }));

  it('a log whose reader has exited does not stop the sync', () =>
    withPair((pair) => {
      const args = pair.syncArgs().map((word) => `'${word}'`);
      const { stdout } = pipe(`exec 3>&1; { sleep 0.2; "$0" "$1" ${args.join(' ')} 2>&1 >&3; echo $? >&3; } | true`);
      assert.match(stdout, /"action":"full".*\n0\n$/);
      pair.assertInStep();
    }));
});
