import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { type Log, SILENT } from '../../src/report/log.js';
import { type NotifierOptions, notifierOf } from '../../src/watch/notify.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

/** Receives datagrams as systemd does, and drops the descriptor of BARRIER=1, for which systemd-notify waits. */
const MANAGER = `
import json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    data, control, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(12))
    pid = struct.unpack('3i', control[0][2][:12])[0]
    print(json.dumps({'text': data.decode(), 'pid': pid}), flush=True)
`;

const missing = ['systemd-notify', 'python3'].filter((name) => spawnSync(name, ['--version']).status !== 0);
const skip =
  missing.length > 0 && `not run: there is no ${missing.join(', ')} here (Debian: apt-get install systemd python3)`;

interface Manager {
  readonly socket: string;
  /** Messages without the barriers. */
  readonly messages: string[];
  readonly senders: number[];
}

async function withManager(use: (manager: Manager, directory: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const socket = join(directory, 'notify');
    const child = spawn('python3', ['-c', MANAGER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const lines = createInterface({ input: child.stdout });
      assert.deepEqual(await once(lines, 'line'), ['bound']);
      const manager: Manager = { socket, messages: [], senders: [] };
      lines.on('line', (line) => {
        const { text, pid } = JSON.parse(line) as { text: string; pid: number };
        if (text !== 'BARRIER=1') manager.messages.push(text);
        manager.senders.push(pid);
      });
      await use(manager, directory);
    } finally {
      child.kill('SIGKILL');
    }
  });
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 4000; tries++) {
    if (holds()) return;
    await pause(5);
  }
  assert.fail(`never happened: ${what}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Children of this process as `state command`, such as `Z (systemd-notify)`. */
function children(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, command, state, parent] =
        /^\d+ (\(.*\)) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      if (Number(parent) === process.pid) found.push(`${state} ${command}`);
    } catch {}
  }
  return found;
}

function recorded(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const log: Log = { ...SILENT, warn: (fields, message) => void lines.push(`${message} ${JSON.stringify(fields)}`) };
  return { log, lines };
}

/** A stand-in for systemd-notify that notes its arguments in `calls`. */
function standIn(directory: string, body = ''): { readonly program: string; readonly calls: () => string[] } {
  const [program, calls] = [join(directory, 'stand-in'), join(directory, 'calls')];
  writeFileSync(program, `#!/bin/sh\necho "$*" >>'${calls}'\n${body}\n`, { mode: 0o755 });
  return { program, calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : []) };
}

describe('the notifier with the real systemd-notify', { skip }, () => {
  it('sends READY, STATUS, WATCHDOG and STOPPING, and leaves no zombie', async () => {
    await withManager(async ({ socket, messages, senders }) => {
      const { log, lines } = recorded();
      const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket, WATCHDOG_USEC: '180000000' };
      const notifier = notifierOf(environment, { log, statusEveryMs: 1 });
      notifier.ready('first\nround: läuft');
      await eventually('ready', () => messages.length === 1);
      notifier.watchdog();
      await eventually('a ping', () => messages.length === 2);
      await pause(20);
      notifier.status('in step');
      await eventually('a status', () => messages.length === 3);
      notifier.stopping('ended by a signal');
      await eventually('stopping', () => messages.length === 4);
      assert.deepEqual(messages, [
        'READY=1\nSTATUS=first round: läuft',
        'WATCHDOG=1',
        'STATUS=in step',
        'STOPPING=1\nSTATUS=ended by a signal',
      ]);
      assert.deepEqual(lines, []);
      assert.ok(senders.length >= 4);
      await eventually(
        'no child is left',
        () => children().filter((child) => child.includes('systemd-notify')).length === 0,
      );
    });
  });

  it('pings every third of the limit at the most, however often it is called', async () => {
    await withManager(async ({ socket, messages }) => {
      const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket, WATCHDOG_USEC: '3000000' };
      const notifier = notifierOf(environment, { log: SILENT });
      const began = process.uptime();
      while (messages.length < 2) {
        notifier.watchdog();
        await pause(5);
        assert.ok(process.uptime() - began < 20);
      }
      assert.ok(process.uptime() - began >= 0.9, 'the second ping came too early');
      assert.deepEqual(messages, ['WATCHDOG=1', 'WATCHDOG=1']);
      // And none by itself.
      await pause(2500);
      assert.equal(messages.length, 2);
    });
  });

  it('reports a socket where nobody listens once, and again after it has worked in between', async () => {
    await withManager(async ({ socket, messages }, directory) => {
      const { log, lines } = recorded();
      const program = join(directory, 'switching');
      const gone = join(directory, 'gone');
      writeFileSync(
        program,
        `#!/bin/sh\n[ ! -e '${gone}' ] || export NOTIFY_SOCKET='${gone}'\nexec systemd-notify "$@"\n`,
        { mode: 0o755 },
      );
      const notifier = notifierOf({ PATH: process.env['PATH'], NOTIFY_SOCKET: socket }, { log, program });
      const sent = async (status: string): Promise<void> => {
        notifier.ready(status);
        await eventually(
          'the program has ended',
          () => !children().some((child) => /systemd-notify|switching/.test(child)),
        );
        await pause(20);
      };
      writeFileSync(gone, '');
      await sent('one');
      await sent('two');
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(
        lines[0] ?? '',
        /^systemd cannot be notified .*systemd-notify|switching.*Connection refused.*NotifyAccess=all/,
      );
      assert.deepEqual(messages, []);
      spawnSync('rm', [gone]);
      await sent('three');
      await eventually('it arrives', () => messages.length === 1);
      writeFileSync(gone, '');
      await sent('four');
      assert.equal(lines.length, 2);
    });
  });
});

describe('the notifier', () => {
  const call = (environment: NodeJS.ProcessEnv, options: NotifierOptions): void => {
    const notifier = notifierOf(environment, options);
    notifier.ready('r');
    notifier.status('s');
    notifier.watchdog();
    notifier.stopping('e');
  };

  it('starts nothing without NOTIFY_SOCKET', async () => {
    await withTempDir(async (directory) => {
      const { program, calls } = standIn(directory);
      call({ WATCHDOG_USEC: '1' }, { log: SILENT, program });
      call({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '1' }, { log: SILENT, program });
      await pause(300);
      assert.deepEqual(calls(), []);
      // Control: with it, the same calls start the program.
      call({ NOTIFY_SOCKET: join(directory, 'x') }, { log: SILENT, program });
      await eventually('it is called', () => calls().length > 0);
    });
  });

  it('takes the variables of systemd out of the environment that other programs get', () => {
    const environment = { PATH: 'p', NOTIFY_SOCKET: '', WATCHDOG_USEC: '1', WATCHDOG_PID: '1' };
    notifierOf(environment, { log: SILENT });
    assert.deepEqual(environment, { PATH: 'p' });
  });

  it('sends no pings when they are asked of another process, or of none', async () => {
    await withTempDir(async (directory) => {
      const { program, calls } = standIn(directory);
      const base = { PATH: process.env['PATH'], NOTIFY_SOCKET: join(directory, 'x') };
      const others = [{}, { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, { WATCHDOG_USEC: 'x' }, { WATCHDOG_USEC: '0' }];
      for (const other of others) notifierOf({ ...base, ...other }, { log: SILENT, program }).watchdog();
      await pause(300);
      assert.deepEqual(calls(), []);
      const ours = { WATCHDOG_USEC: '1000', WATCHDOG_PID: String(process.pid) };
      notifierOf({ ...base, ...ours }, { log: SILENT, program }).watchdog();
      await eventually('it is called', () => calls().length === 1);
      assert.deepEqual(calls(), ['WATCHDOG=1']);
    });
  });

  it('runs one program at a time, and sends the newest status only', async () => {
    await withTempDir(async (directory) => {
      const busy = join(directory, 'busy');
      const { program, calls } = standIn(
        directory,
        `mkdir '${busy}' || echo OVERLAP >>'${directory}/calls'\nsleep 0.2\nrmdir '${busy}'`,
      );
      const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: 'x', WATCHDOG_USEC: '3000' };
      const notifier = notifierOf(environment, { log: SILENT, program, statusEveryMs: 1 });
      notifier.ready('begins');
      for (let n = 1; n <= 100; n++) {
        notifier.status(`round ${n}`);
        notifier.watchdog();
        await pause(1);
      }
      await pause(600);
      const all = calls();
      assert.equal(all[0], 'READY=1 STATUS=begins');
      assert.ok(all.length <= 5 && !all.includes('OVERLAP'), all.join('\n'));
      assert.ok(all.some((line) => line.includes('STATUS=round 100')));
      assert.ok(all.some((line) => line.includes('WATCHDOG=1')));
      // The same text again, and anything after the end, starts nothing.
      notifier.status('round 100');
      await pause(100);
      assert.equal(calls().length, all.length);
      notifier.stopping('over');
      notifier.status('late');
      notifier.watchdog();
      notifier.ready('late');
      await pause(500);
      assert.deepEqual(calls().slice(all.length), ['STOPPING=1 STATUS=over']);
    });
  });

  it('brings a status after a while without another call', async () => {
    await withTempDir(async (directory) => {
      const { program, calls } = standIn(directory);
      const notifier = notifierOf(
        { PATH: process.env['PATH'], NOTIFY_SOCKET: 'x' },
        { log: SILENT, program, statusEveryMs: 700 },
      );
      notifier.status('in step');
      notifier.status('the mount hangs');
      await pause(300);
      assert.deepEqual(calls(), ['STATUS=in step']);
      await eventually('the second status', () => calls().length === 2);
      assert.deepEqual(calls(), ['STATUS=in step', 'STATUS=the mount hangs']);
    });
  });

  it('kills a program that hangs, reports one that is missing, and goes on', async () => {
    await withTempDir(async (directory) => {
      const { log, lines } = recorded();
      const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: 'x' };
      const { program } = standIn(directory, 'exec sleep 60');
      notifierOf({ ...environment }, { log, program, limitMs: 200 }).ready('r');
      await eventually('it is reported', () => lines.length === 1);
      assert.match(lines[0] ?? '', /has not ended after 0\.2 s/);
      await eventually('it is gone', () => !children().some((child) => /sleep|stand-in/.test(child)));
      notifierOf({ ...environment }, { log, program: join(directory, 'no-such-program') }).ready('r');
      await eventually('it is reported', () => lines.length === 2);
      assert.match(lines[1] ?? '', /ENOENT/);
      notifierOf({ ...environment }, { log, program, limitMs: 200 }).ready('a\0b');
      await eventually('it is reported', () => lines.length === 3);
    });
  });

  it('does not keep the process alive', async () => {
    await withTempDir(async (directory) => {
      const { program, calls } = standIn(directory, `echo $$ >'${directory}/pid'\nexec sleep 60`);
      const text = `
        const { notifierOf } = await import('${inProject('dist', 'src', 'watch', 'notify.js')}');
        const log = { debug() {}, info() {}, warn() {}, error() {} };
        notifierOf(process.env, { log, program: '${program}' }).stopping('over');`;
      const done = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
        env: { ...process.env, NOTIFY_SOCKET: 'x' },
        timeout: 20_000,
      });
      assert.deepEqual([done.status, done.signal], [0, null]);
      await eventually(
        'it was called',
        () =>
          calls().length === 1 && /\d\n/.test(spawnSync('cat', [join(directory, 'pid')], { encoding: 'utf8' }).stdout),
      );
      process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')));
    });
  });
});
