import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BlobPair } from '../support/blob-pair.js';
import { syncpozo } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { type Result, run, scratch, scripts, writeScript } from './shell.js';

const UNITS = readdirSync(join(scripts, 'systemd')).sort();
const SERVICES = UNITS.filter((name) => name.endsWith('.service'));

/** `systemd-analyze security` in tenths, as --threshold takes it: the figure that each service reaches. */
const EXPOSURE: Readonly<Record<string, number>> = {
  'syncpozo-sync.service': 16,
  'syncpozo-watch.service': 17,
};

function missing(...names: string[]): string | false {
  const absent = names.filter((name) => spawnSync(name, ['--version']).status !== 0);
  return absent.length > 0 && `not run: there is no ${absent.join(', ')} here (Debian: apt-get install systemd strace)`;
}

const skip = missing('systemd-analyze');

function textOf(unit: string): string {
  return readFileSync(join(scripts, 'systemd', unit), 'utf8');
}

/** The values of a setting in their order. */
function valuesOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** All units in a directory, with a program that exists here; `change` edits their text. Returns their paths. */
function install(t: TestContext, change: (text: string) => string = (text) => text): string[] {
  const dir = scratch(t);
  const program = writeScript(join(dir, 'syncpozo'), 'exit 0');
  return UNITS.map((unit) => {
    const path = join(dir, unit);
    writeFileSync(path, change(textOf(unit)).replaceAll('/usr/local/bin/syncpozo', program));
    return path;
  });
}

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
  const [, user, slave = ''] = /^\* \* \* \* \* (\w+) \S+ \S+ (\S+)$/m.exec(crontab) ?? [];
  const defaults = readFileSync(join(scripts, 'default', 'syncpozo'), 'utf8');
  const [, blobs = ''] = /^#SYNCPOZO_BLOBS=\S+:(\S+)$/m.exec(defaults) ?? [];
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

/** The system calls that a unit permits: its filters in their order, and @default, which systemd adds. */
function permitted(unit: string): ReadonlySet<string> {
  const membersOf = (name: string): string[] => {
    if (!name.startsWith('@')) return [name];
    const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', '--no-pager', name], { encoding: 'utf8' });
    const lines = stdout
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    return lines.filter((line) => line !== '' && !line.startsWith('#')).flatMap(membersOf);
  };
  const calls = new Set(membersOf('@default'));
  for (const filter of valuesOf(textOf(unit), 'SystemCallFilter')) {
    const names = filter.replace('~', '').split(' ').flatMap(membersOf);
    for (const name of names) {
      if (filter.startsWith('~')) calls.delete(name);
      else calls.add(name);
    }
  }
  return calls;
}

/** The programs that the services run, traced: their system calls by name, and the families of their sockets. */
async function traceServices(t: TestContext): Promise<{ calls: Set<string>; families: Set<string> }> {
  const dir = scratch(t);
  const logs = [1, 2, 3, 4].map((n) => join(dir, `trace-${n}`));
  const strace = (log: number) => ['strace', '-f', '-qq', '-o', logs[log] ?? ''];
  mkdirSync(join(dir, 'pair'));
  const pair = new BlobPair(join(dir, 'pair'));
  pair.commitBlobs('one', 'two');
  const small = [
    '--blobs',
    `${pair.masterBlobs}:${pair.slaveBlobs}`,
    '--chunk-size',
    '4KiB',
    '--workers',
    '2',
    '--scrub',
    'full',
  ];
  for (let page = 0; page < 40; page++) pair.commit('x'.repeat(4000));
  const first = syncpozo(pair.syncArgs(...small), { through: strace(0) });
  assert.equal(first.exit, 0, first.all);
  pair.commitBlobs('three');
  for (const [at, more] of [[], ['--full']].entries()) {
    const next = syncpozo(pair.syncArgs(...more, ...small), { through: strace(at + 1) });
    assert.equal(next.exit, 0, next.all);
  }

  // What a watch does besides: it notifies systemd, calls a URL, answers requests, and is told to open its log again.
  const from = (name: string): string => `'${inProject('dist', 'src', name)}'`;
  const program = `
    import { createServer } from 'node:http';
    import { notifierOf } from ${from('watch/notify.js')};
    import { heartbeatOf } from ${from('watch/heartbeat.js')};
    import { appendTo } from ${from('io/sink.js')};
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const file = appendTo('${dir}/log');
    process.on('SIGHUP', () => file.reopen());
    notifierOf({ ...process.env, NOTIFY_SOCKET: '${dir}/none' }, { log }).ready('x');
    const server = createServer((_, response) => {
      response.end('OK');
      process.kill(process.pid, 'SIGHUP');
      setTimeout(() => process.exit(0), 500);
    });
    server.listen(0, '127.0.0.1', () => heartbeatOf('http://localhost:' + server.address().port, { log }).beat());`;
  const [command = '', ...args] = [...strace(3), process.execPath, '--input-type=module', '-e', program];
  const watch = await run(command, args);
  assert.deepEqual([watch.status, watch.stderr], [0, '']);

  const text = logs.map((log) => readFileSync(log, 'utf8')).join('\n');
  return {
    calls: new Set([...text.matchAll(/^\d+ +([a-z_0-9]+)\(/gm)].map(([, name = '']) => name)),
    families: new Set([...text.matchAll(/ socket(?:pair)?\((AF_\w+),/g)].map(([, name = '']) => name)),
  };
}

test('the services may make every system call that they make', { skip: skip || missing('strace') }, async (t) => {
  const { calls, families } = await traceServices(t);
  assert.ok(
    calls.size > 40 && calls.has('fdatasync') && calls.has('flock') && calls.has('chown'),
    [...calls].join(' '),
  );
  for (const unit of SERVICES) {
    const allowed = permitted(unit);
    assert.ok(allowed.size > 200 && !allowed.has('mount') && !allowed.has('setuid'), unit);
    // Without io_uring libuv uses epoll; without AF_NETLINK a name is looked up for both versions of IP.
    assert.deepEqual(
      [...calls].filter((name) => !allowed.has(name)),
      [],
      unit,
    );
    const named = new Set(valuesOf(textOf(unit), 'RestrictAddressFamilies').flatMap((value) => value.split(' ')));
    assert.deepEqual(
      [...families].filter((name) => name !== 'AF_NETLINK' && !named.has(name)),
      [],
      unit,
    );
  }
});
