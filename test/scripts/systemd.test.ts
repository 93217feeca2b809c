import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Result, run, scratch, scripts, writeScript } from './shell.js';
import { missing, SERVICES, textOf, UNITS, valuesOf } from './units.js';

/** `systemd-analyze security` in tenths, as --threshold takes it: the figure that each service reaches. */
const EXPOSURE: Readonly<Record<string, number>> = {
  'syncpozo-sync.service': 16,
  'syncpozo-watch.service': 17,
};

const skip = missing('systemd-analyze');

/** All units in a directory, with a program that exists here; `change` edits their text. Returns their paths. */
function install(t: TestContext, change: (text: string) => string = (text) => text): string[] {
  const dir = scratch(t);
  const program = writeScript(join(dir, 'syncpozo'), 'exit 0');
  return [...UNITS, '../sshfs/syncpozo-peer.service'].map((unit) => {
    const path = join(dir, basename(unit));
    writeFileSync(path, change(textOf(unit)).replaceAll(PROGRAMS, program));
    return path;
  });
}

/** What an installation brings. */
const PROGRAMS =
  /\/usr\/local\/bin\/syncpozo(?=\s)|\/usr\/local\/lib\/syncpozo\/[\w/]+|\/srv\/zope\/bin\/runwsgi|\/usr\/bin\/sshfs/g;

/** The real programs of this machine; the page of the manual is not installed here. */
function verify(paths: readonly string[]): Promise<Result> {
  return run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...paths]);
}

function security(path: string, threshold: number): Promise<Result> {
  return run('systemd-analyze', ['security', '--offline=true', '--no-pager', `--threshold=${threshold}`, path]);
}

test('systemd finds nothing wrong with the units', { skip }, async (t) => {
  const { status, stdout, stderr } = await verify(install(t));
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

for (const [what, change, message] of [
  ['a setting that does not exist', ['RestartSec=', 'RestartSecs='], /Unknown key/],
  ['a value that is none', ['KillMode=mixed', 'KillMode=gently'], /Failed to parse/],
  ['a program that does not exist', ['/usr/local/bin/syncpozo', '/usr/local/bin/syncpozoo'], /not executable/],
  ['a moment that is none', ['OnCalendar=minutely', 'OnCalendar=often'], /Failed to parse calendar/],
] as const) {
  test(`control: ${what} is found`, { skip }, async (t) => {
    const { status, stderr } = await verify(install(t, (text) => text.replace(change[0], change[1])));
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  });
}

for (const [unit, exposure] of Object.entries(EXPOSURE)) {
  test(`${unit} is exposed by ${exposure / 10} of 10 at the most`, { skip }, async (t) => {
    const path = install(t).find((name) => name.endsWith(unit)) ?? '';
    const report = await security(path, exposure);
    assert.equal(
      report.status,
      0,
      report.stdout
        .split('\n')
        .filter((line) => !line.includes('✓'))
        .join('\n'),
    );
  });
}

test('control: a service without a restriction is over the limit', { skip }, async (t) => {
  const open = install(t, (text) => text.replace(/^ProtectSystem=.*$/m, ''));
  const path = open.find((name) => name.endsWith('watch.service')) ?? '';
  assert.notEqual((await security(path, EXPOSURE['syncpozo-watch.service'] ?? 0)).status, 0);
});

test('the timer starts the service of its name, every minute', { skip }, async () => {
  assert.ok(SERVICES.includes('syncpozo-sync.service'));
  const [moment = ''] = valuesOf(textOf('syncpozo-sync.timer'), 'OnCalendar');
  const base = ['--base-time=2026-11-24 09:30:12 UTC', '--iterations=2'];
  const { stdout } = await run('systemd-analyze', ['calendar', ...base, moment], { env: { TZ: 'UTC' } });
  assert.match(stdout, /Next elapse: Tue 2026-11-24 09:31:00 UTC\n.*\n.*Iter. #2: Tue 2026-11-24 09:32:00 UTC/);
});

test('the units agree with the other samples', () => {
  const crontab = readFileSync(join(scripts, 'crontab'), 'utf8');
  const [, user] = /^\* \* \* \* \* (\w+) \S+$/m.exec(crontab) ?? [];
  const sample = readFileSync(join(scripts, 'syncpozo.yml'), 'utf8');
  const [, slave] = /^ {4}slave: (\S+)$/m.exec(sample) ?? [];
  const [, blobs] = /blobs: \{ .*slave: (\S+) \}$/m.exec(sample) ?? [];
  for (const unit of SERVICES) {
    const text = textOf(unit);
    assert.deepEqual(valuesOf(text, 'User'), [user]);
    assert.equal(valuesOf(text, 'ReadWritePaths')[0], `${slave} ${blobs}`);
    assert.deepEqual(valuesOf(text, 'RequiresMountsFor'), [`${slave} ${blobs}`]);
    // Neither may wait for the mount of the master, nor name it at all.
    assert.ok(!text.includes('/mnt/'), unit);
  }
  const hardening = (unit: string): string[] =>
    textOf(unit)
      .split('\n')
      .filter((line) =>
        /^(Protect|Private|Restrict[A-Z]\w+=|SystemCall|Capab|Ambient|NoNew|Lock|Keyring|RemoveIPC)/.test(line),
      )
      .filter((line) => !line.startsWith('RestrictPrevent'));
  assert.deepEqual(hardening('syncpozo-sync.service'), hardening('syncpozo-watch.service'));
  assert.ok(hardening('syncpozo-watch.service').length > 20);
});

test('what would break the program is not restricted, and each unit says why', () => {
  const reasons = textOf('syncpozo-watch.service').split('Left out, because it would break something:')[1] ?? '';
  const names = [...reasons.matchAll(/^# {3}([A-Z]\w+)/gm)].map(([, name = '']) => name);
  for (const name of [
    'MemoryDenyWriteExecute',
    'PrivateUsers',
    'ProcSubset',
    'RestrictSUIDSGID',
    'PrivateNetwork',
    'UMask',
  ])
    assert.ok(names.includes(name), name);
  for (const unit of SERVICES)
    for (const name of names) assert.deepEqual(valuesOf(textOf(unit), name), [], `${unit}: ${name}`);
});
