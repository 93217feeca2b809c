import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeEvent, type SlaveEvent } from '../../src/events/event.js';
import { environmentOf, type HookEnd, lastLineOf, runHook } from '../../src/events/hook.js';
import { hooksOf } from '../../src/events/hooks.js';
import { type Log, SILENT } from '../../src/report/log.js';
import { eventually } from '../support/promotion.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

const AT = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
const LONG = 30;

function eventOf(name: SlaveEvent['name'], more: Partial<SlaveEvent> = {}): SlaveEvent {
  const facts = { lastTid: '0405e70011111111', exitCode: 3, isThere: true, nothing: null };
  return { ...makeEvent(name, AT, { storage: 'main', slave: '/srv/Data.fs' }, 'a sentence', facts), ...more };
}

/** Writes a hook; returns its path. */
function script(directory: string, text: string, name = 'hook', mode = 0o755): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** Runs a script of the shell as a hook. */
async function run(text: string, seconds = LONG, more: Partial<SlaveEvent> = {}): Promise<HookEnd> {
  return await withTempDir(async (directory) => {
    return await runHook([script(directory, `#!/bin/sh\n${text}\n`)], eventOf('refusal', more), seconds);
  });
}

/** Whether a process is there and is no zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Children of this process that have ended and were not waited for. */
function zombies(): string[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter((pid) => pid !== '' && existsSync(`/proc/${pid}`) && !isAlive(Number(pid)));
}

describe('a hook', () => {
  it('gets the event as one JSON object on standard input and as variables, in the directory /', () =>
    withTempDir(async (directory) => {
      const event = eventOf('refusal');
      const out = join(directory, 'out');
      const hook = script(
        directory,
        `#!/bin/sh\nread -r line; { pwd; echo "$line"; echo "$1|$2"; env | grep ^SYNCPOZO_ | sort; } >'${out}'\n`,
      );
      const { ok, how } = await runHook([hook, 'a b', '$HOME;`id`'], event, LONG);
      assert.deepEqual([ok, how], [true, `ended with 0 (${hook})`]);
      const [directoryOf, json = '', args, ...variables] = readFileSync(out, 'utf8').trim().split('\n');
      assert.equal(directoryOf, '/');
      assert.deepEqual(JSON.parse(json), event);
      assert.equal(args, 'a b|$HOME;`id`');
      const inherited = new Set(Object.entries(process.env).map(([name, value]) => `${name}=${value}`));
      const own = variables.filter((line) => !inherited.has(line));
      assert.deepEqual(own, [
        'SYNCPOZO_EVENT=refusal',
        'SYNCPOZO_EXIT_CODE=3',
        'SYNCPOZO_IS_THERE=true',
        'SYNCPOZO_LAST_TID=0405e70011111111',
        'SYNCPOZO_MESSAGE=a sentence',
        'SYNCPOZO_NOTHING=',
        'SYNCPOZO_SLAVE=/srv/Data.fs',
        'SYNCPOZO_STORAGE=main',
        'SYNCPOZO_TIME=2026-06-07T08:09:10.011Z',
      ]);
    }));

  it('that fails, with its last line', async () => {
    const end = await run('echo first; echo "the pager is down" >&2; echo; exit 7');
    assert.deepEqual([end.ok, lastLineOf(end), end.hint], [false, 'the pager is down', undefined]);
    assert.match(end.how, /^ended with 7 \(\/.*\/hook\)$/);
  });

  it('that a signal ends', async () => {
    const { ok, how } = await run('kill -SEGV $$');
    assert.equal(ok, false);
    assert.match(how, /^was ended by SIGSEGV /);
  });

  it('that hangs is ended after its time, with what it has started', () =>
    withTempDir(async (directory) => {
      const pids = join(directory, 'pids');
      const hook = script(directory, `#!/bin/sh\nsleep 600 &\necho $! $$ >'${pids}'; echo waiting\nsleep 600\n`);
      const end = await runHook([hook], eventOf('fork'), 0.5);
      assert.deepEqual([end.ok, lastLineOf(end)], [false, 'waiting']);
      assert.match(end.how, /^was ended after 0\.5 s /);
      const all = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
      assert.equal(all.length, 2);
      await eventually(() => !all.some(isAlive));
    }));

  it('that ignores SIGTERM is killed, with what it has started', () =>
    withTempDir(async (directory) => {
      const pids = join(directory, 'pids');
      const hook = script(
        directory,
        `#!/bin/sh\ntrap '' TERM\nsh -c 'while :; do sleep 1; done' &\necho $! $$ >'${pids}'\nwhile :; do sleep 1; done\n`,
      );
      const { ok, how } = await runHook([hook], eventOf('fork'), 0.5);
      assert.equal(ok, false);
      assert.match(how, /^was ended after 0\.5 s /);
      const all = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
      await eventually(() => !all.some(isAlive));
    }));

  it('that prints 100 MB: all of it is read, and the end is kept', async () => {
    const end = await run('head -c 100000000 /dev/zero | tr "\\\\0" x; echo; echo done');
    assert.equal(end.ok, true, end.how);
    assert.equal(lastLineOf(end), 'done');
    assert.ok(end.output.length <= 8192);
  });

  it('that prints without an end is ended after its time', async () => {
    const { ok, how, output } = await run('yes', 0.5);
    assert.deepEqual([ok, output.length], [false, 8192]);
    assert.match(how, /^was ended after/);
  });

  it('that closes its input, or ends before it reads it', async () => {
    const message = 'x'.repeat(500_000);
    assert.equal((await run('exec <&-; echo fine', LONG, { message })).ok, true);
    assert.equal((await run('exit 0', LONG, { message })).ok, true);
  });

  it('that leaves a process behind with its output is not waited for, and the process stays', () =>
    withTempDir(async (directory) => {
      const pid = join(directory, 'pid');
      const began = performance.now();
      const hook = script(directory, `#!/bin/sh\nsleep 600 &\necho $! >'${pid}'; echo started\n`);
      const end = await runHook([hook], eventOf('loss'), LONG);
      const left = Number(readFileSync(pid, 'utf8'));
      try {
        assert.deepEqual([end.ok, lastLineOf(end)], [true, 'started']);
        assert.ok(performance.now() - began < LONG * 500);
        assert.ok(isAlive(left));
      } finally {
        process.kill(left, 'SIGKILL');
      }
    }));

  it('that cannot be started, with a hint that names the file', () =>
    withTempDir(async (directory) => {
      const plain = script(directory, '#!/bin/sh\n', 'plain', 0o644);
      const lost = script(directory, '#!/nowhere/interpreter\n', 'lost');
      const missing = join(directory, 'missing');
      const cases: readonly (readonly [readonly string[], RegExp, RegExp])[] = [
        [[plain], /^cannot be run: .*\/plain: permission denied \(EACCES\)$|EACCES/, /^make \/.*\/plain executable/],
        [[directory], /EACCES/, new RegExp(`^make ${directory} executable`)],
        [[missing], /^cannot be run: .*\/missing: .*\(ENOENT\)$/, /^is there a \/.*\/missing, and the interpreter/],
        [[lost], /ENOENT/, /\/lost, and the interpreter that its first line names\?$/],
        [['hook'], /^names hook$/, /absolute path/],
        [['./hook'], /^names \.\/hook$/, /absolute path/],
        [[], /^names no program$/, /absolute path/],
        [['/bin/echo', 'a\0b'], /NUL/, /remove it from the configuration/],
      ];
      for (const [command, how, hint] of cases) {
        const end = await runHook(command, eventOf('damage'), LONG);
        assert.equal(end.ok, false);
        assert.match(end.how, how);
        assert.match(end.hint ?? '', hint);
      }
    }));

  it('without an interpreter in its first line is one for /bin/sh, as execvp has it', () =>
    withTempDir(async (directory) => {
      const end = await runHook([script(directory, 'echo "$SYNCPOZO_EVENT"\n')], eventOf('damage'), LONG);
      assert.deepEqual([end.ok, lastLineOf(end)], [true, 'damage']);
    }));

  it('gets no NUL, and no variable without bounds', async () => {
    const message = `a\0b${'x'.repeat(1_000_000)}`;
    const variables = environmentOf(eventOf('fault', { message, facts: { reason: '\0' } }));
    assert.equal(variables['SYNCPOZO_REASON'], '');
    assert.match(variables['SYNCPOZO_MESSAGE'] ?? '', /^abx{4094}$/);
    const end = await run('printenv SYNCPOZO_MESSAGE | wc -c; cat | wc -c', LONG, { message });
    assert.equal(end.ok, true, end.how);
    assert.match(end.output, /^4097\n1000\d{3}\n$/);
  });

  it('leaves no zombie', async () => {
    await run('exit 1');
    await run('sleep 600', 0.2);
    await eventually(() => zombies().length === 0);
  });
});

interface Logged {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function listening(): Log & { readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), lines };
}

describe('the hooks of a configuration', () => {
  it('without one: nothing', async () => {
    const hooks = hooksOf(undefined, SILENT);
    hooks.emit([eventOf('fork')]);
    await hooks.launch([eventOf('fork')]);
    await hooks.settled();
    assert.equal(await hooks.before('before-promote', { storage: undefined, slave: '/x' }, {}), undefined);
  });

  it('run without holding up whoever reports, one of a name at a time, in their order; other names beside them', () =>
    withTempDir(async (directory) => {
      const out = join(directory, 'out');
      const slow = script(
        directory,
        `#!/bin/sh\necho "begin $SYNCPOZO_MESSAGE" >>'${out}'\nsleep 0.1\necho "end $SYNCPOZO_MESSAGE" >>'${out}'\n`,
      );
      const other = script(directory, `#!/bin/sh\necho other >>'${out}'\n`, 'other');
      const log = listening();
      const hooks = hooksOf({ commands: { fork: [slow], damage: [other] }, timeoutSeconds: LONG }, log);
      hooks.emit(['1', '2'].map((message) => eventOf('fork', { message })));
      hooks.emit([eventOf('fork', { message: '3' }), eventOf('damage'), eventOf('refusal')]);
      assert.equal(existsSync(out) && readFileSync(out, 'utf8').includes('end'), false, 'nothing is waited for');
      await hooks.settled();
      const lines = readFileSync(out, 'utf8').trim().split('\n');
      assert.deepEqual(
        lines.filter((line) => line !== 'other'),
        ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'],
      );
      assert.ok(lines.indexOf('other') < lines.indexOf('end 3'));
      assert.deepEqual(log.lines.map(({ level, fields }) => `${level} ${fields['hook']}`).sort(), [
        'info damage',
        'info fork',
        'info fork',
        'info fork',
      ]);
      hooks.emit([eventOf('damage')]);
      await hooks.settled();
      assert.equal(log.lines.length, 5, 'and again, when all had ended');
    }));

  it('wait in a bounded number: the oldest are dropped, and the log has that', () =>
    withTempDir(async (directory) => {
      const out = join(directory, 'out');
      const hook = script(directory, `#!/bin/sh\necho "$SYNCPOZO_MESSAGE" >>'${out}'\nsleep 0.05\n`);
      const log = listening();
      const hooks = hooksOf({ commands: { fault: [hook] }, timeoutSeconds: LONG }, log);
      for (let number = 1; number <= 100; number++) hooks.emit([eventOf('fault', { message: String(number) })]);
      await hooks.settled();
      const ran = readFileSync(out, 'utf8').trim().split('\n').map(Number);
      assert.deepEqual(ran, [1, ...Array.from({ length: 16 }, (_, n) => 85 + n)]);
      const dropped = log.lines.filter(({ message }) => /not run for an event: it is too slow$/.test(message));
      assert.equal(dropped.length, 100 - ran.length);
    }));

  it('do not keep a process that releases them: one goes on by itself, those that wait are dropped', () =>
    withTempDir(async (directory) => {
      const out = join(directory, 'out');
      const hook = script(
        directory,
        `#!/bin/sh\necho begun >>'${out}'\nwhile [ ! -e '${out}.go' ]; do sleep 0.05; done; echo done >>'${out}'\n`,
      );
      const settings = { commands: { fork: [hook] }, timeoutSeconds: 600 };
      const program = `
        import { existsSync } from 'node:fs';
        import { hooksOf } from '${inProject('dist/src/events/hooks.js')}';
        const warn = (fields, message) => console.log(message);
        const hooks = hooksOf(${JSON.stringify(settings)}, { debug() {}, info() {}, warn, error() {} });
        hooks.emit(${JSON.stringify([eventOf('fork'), eventOf('fork')])});
        while (!existsSync('${out}')) await new Promise((resolve) => setTimeout(resolve, 20));
        hooks.release();`;
      const ended = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        timeout: 30_000,
      });
      assert.equal(ended.status, 0, ended.stderr);
      assert.equal(ended.stdout, 'the hook fork is not run for an event: syncpozo ends\n');
      assert.equal(readFileSync(out, 'utf8'), 'begun\n');
      writeFileSync(`${out}.go`, '');
      await eventually(() => readFileSync(out, 'utf8') === 'begun\ndone\n');
    }));

  it('that fail are a warning with what they have printed, and nothing more', () =>
    withTempDir(async (directory) => {
      const log = listening();
      const hook = script(directory, '#!/bin/sh\necho no route to the pager >&2\nexit 4\n');
      const hooks = hooksOf({ commands: { fork: [hook], damage: ['/nowhere/x'] }, timeoutSeconds: LONG }, log);
      hooks.emit([eventOf('fork'), eventOf('damage')]);
      await hooks.settled();
      const [failed, lost] = ['fork', 'damage'].map((name) => log.lines.find(({ fields }) => fields['hook'] === name));
      assert.deepEqual([lost?.level, failed?.level], ['warn', 'warn']);
      assert.match(lost?.message ?? '', /^the hook damage cannot be run: .*\/nowhere\/x/);
      assert.match(String(lost?.fields['hint']), /\/nowhere\/x/);
      assert.match(failed?.message ?? '', /^the hook fork ended with 4 /);
      assert.equal(failed?.fields['output'], 'no route to the pager\n');
    }));

  it('that are launched go on by themselves, with their input, and have a time limit', () =>
    withTempDir(async (directory) => {
      const [out, pid] = [join(directory, 'out'), join(directory, 'pid')];
      const late = script(
        directory,
        `#!/bin/sh\nwhile [ ! -e '${out}.go' ]; do sleep 0.05; done\ncat >'${out}.tmp'; mv '${out}.tmp' '${out}'\n`,
        'late',
      );
      const hangs = script(
        directory,
        `#!/bin/sh\ntrap '' TERM\necho $$ >'${pid}'\nwhile :; do sleep 1; done\n`,
        'hangs',
      );
      const log = listening();
      await hooksOf({ commands: { loss: [late], promoted: ['/nowhere/x'] }, timeoutSeconds: LONG }, log).launch([
        eventOf('promoted'),
        eventOf('loss'),
      ]);
      assert.equal(existsSync(out), false, 'they are not waited for');
      writeFileSync(`${out}.go`, '');
      assert.deepEqual(
        log.lines.map(({ level }) => level),
        ['warn', 'info'],
      );
      assert.match(String(log.lines[0]?.fields['hint']), /\/nowhere\/x/);
      await eventually(() => existsSync(out));
      assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), eventOf('loss'));
      await hooksOf({ commands: { loss: [hangs] }, timeoutSeconds: 1 }, log).launch([eventOf('loss')]);
      await eventually(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '');
      const left = Number(readFileSync(pid, 'utf8'));
      for (let probe = 0; probe < 100 && isAlive(left); probe++) await sleep(100);
      assert.equal(isAlive(left), false);
    }));
});

describe('a hook that may forbid', () => {
  const of = { storage: undefined, slave: '/srv/Data.fs' };

  it('permits by 0', () =>
    withTempDir(async (directory) => {
      const out = join(directory, 'out');
      const hook = script(directory, `#!/bin/sh\ncat >'${out}'\n`);
      const hooks = hooksOf({ commands: { 'before-promote': [hook] }, timeoutSeconds: LONG }, SILENT);
      assert.equal(await hooks.before('before-promote', of, { lastSync: null }), undefined);
      const { time, ...call } = JSON.parse(readFileSync(out, 'utf8')) as Record<string, unknown>;
      assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
      const message = 'before-promote /srv/Data.fs';
      assert.deepEqual(call, {
        name: 'before-promote',
        storage: null,
        slave: of.slave,
        message,
        facts: { lastSync: null },
      });
    }));

  const VETOES: readonly (readonly [name: string, text: string, seconds: number, reason: RegExp])[] = [
    [
      'any other status',
      'echo the master is alive; exit 9',
      LONG,
      /^the hook before-promote ended with 9 \(.*\): the master is alive$/,
    ],
    ['a signal', 'kill -KILL $$', LONG, /^the hook before-promote was ended by SIGKILL/],
    ['its time', 'echo asking; sleep 600', 0.3, /^the hook before-promote was ended after 0\.3 s \(.*\): asking$/],
  ];
  for (const [name, text, seconds, reason] of VETOES)
    it(`forbids by ${name}`, () =>
      withTempDir(async (directory) => {
        const hook = script(directory, `#!/bin/sh\n${text}\n`);
        const veto = await hooksOf({ commands: { 'before-promote': [hook] }, timeoutSeconds: seconds }, SILENT).before(
          'before-promote',
          of,
          {},
        );
        assert.match(veto?.reason ?? '', reason);
        assert.match(veto?.hint ?? '', /--skip-hooks/);
      }));

  it('forbids where it cannot be run, and says how to go on', async () => {
    const veto = await hooksOf({ commands: { 'before-promote': ['/nowhere/x'] }, timeoutSeconds: LONG }, SILENT).before(
      'before-promote',
      of,
      {},
    );
    assert.match(veto?.reason ?? '', /^the hook before-promote cannot be run: .*\/nowhere\/x/);
    assert.match(veto?.hint ?? '', /\/nowhere\/x.*--skip-hooks/);
  });
});
