import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { LogFileMistake } from '../../src/io/sink.js';
import { type Log, type LogFormat, type LogLevel, lateLog, openLog, SILENT } from '../../src/report/log.js';
import { withTempDir } from '../support/site.js';

/** Opens a log to a file, lets `use` write to it, and returns its lines. */
function logged(use: (log: Log) => void, format: LogFormat = 'text', level: LogLevel = 'info'): Promise<string[]> {
  return withTempDir((directory) => {
    const file = join(directory, 'log');
    use(openLog(pino, { level, format, file }));
    const text = readFileSync(file, 'utf8');
    if (text === '') return [];
    assert.ok(text.endsWith('\n'));
    return text.slice(0, -1).split('\n');
  });
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;
/** A line without its time. */
function withoutTime(line: string | undefined): string {
  assert.match(line ?? '', TIME);
  return (line ?? '').replace(TIME, '');
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('a log in text', () => {
  it('has a line for each message: time, level, message, fields', async () => {
    const lines = await logged((log) => {
      log.info({}, 'nothing new');
      log.warn({ from: 10, to: 4 }, 'cutting the slave back');
      log.error({ path: '/srv/Data.fs' }, 'it failed');
    });
    assert.deepEqual(lines.map(withoutTime), [
      'INFO nothing new',
      'WARN cutting the slave back -- from=10 to=4',
      'ERROR it failed -- path=/srv/Data.fs',
    ]);
  });

  it('puts the hint on its own line, at the end', async () => {
    const lines = await logged((log) => log.error({ hint: 'make room', code: 'ENOSPC' }, 'write failed'));
    assert.deepEqual(lines.map(withoutTime), ['ERROR write failed -- code=ENOSPC', 'hint: make room']);
  });

  it('quotes fields so that each can be distinguished from the next', async () => {
    const fields = { empty: '', blank: 'a b', quote: 'a"b', list: [1, 'x'], object: { a: 1 }, yes: true, no: null };
    const [line] = await logged((log) => log.info(fields, 'm'));
    assert.equal(
      withoutTime(line),
      'INFO m -- empty="" blank="a b" quote="a\\"b" list=[1,"x"] object={"a":1} yes=true no=null',
    );
  });

  it('escapes control characters in a field, in a list of them, in a message and in a hint', async () => {
    const evil = 'a\nb\r\u001b[2J\u0085\u009b2J\u2028c';
    const lines = await logged((log) => {
      log.warn({ text: evil }, 'm');
      log.warn({ list: [evil], object: { evil } }, 'm');
      log.warn({}, `cannot read ${evil}`);
      log.warn({ hint: `remove ${evil}` }, 'm');
    });
    assert.equal(lines.length, 5, lines.join('\n'));
    for (const line of lines) {
      withoutTime(line);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test asserts their absence.
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    }
  });
});

describe('a log in JSON', () => {
  it('has one object per line, with time, level as a word, process id, message and fields', async () => {
    const lines = await logged((log) => log.warn({ bytes: 7, hint: 'h' }, 'the message'), 'json');
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(new Date(String(time)).toISOString(), time);
    assert.deepEqual(rest, { level: 'warn', pid: process.pid, bytes: 7, hint: 'h', msg: 'the message' });
  });

  it('keeps a message with line breaks on one line', async () => {
    const lines = await logged((log) => log.info({}, 'a\nb'), 'json');
    assert.equal(lines.length, 1);
    assert.equal((JSON.parse(lines[0] ?? '') as { msg: string }).msg, 'a\nb');
  });
});

describe('a log', () => {
  const all = (log: Log): void => {
    log.debug({}, 'debug');
    log.info({}, 'info');
    log.warn({}, 'warn');
    log.error({}, 'error');
  };

  it('omits messages below its level', async () => {
    for (const [level, count] of [
      ['debug', 4],
      ['info', 3],
      ['warn', 2],
      ['error', 1],
      ['silent', 0],
    ] as const) {
      assert.equal((await logged(all, 'text', level)).length, count, level);
    }
  });

  it('has written each line when the call returns', async () => {
    await withTempDir((directory) => {
      const file = join(directory, 'log');
      const log = openLog(pino, { level: 'info', format: 'json', file });
      for (let n = 1; n < 5; n++) {
        const before = statSync(file).size;
        log.info({ n }, 'line');
        assert.ok(statSync(file).size > before);
      }
    });
  });

  it('appends to an existing file', async () => {
    await withTempDir((directory) => {
      const file = join(directory, 'log');
      writeFileSync(file, 'before\n');
      openLog(pino, { level: 'info', format: 'text', file }).info({}, 'after');
      assert.match(readFileSync(file, 'utf8'), /^before\n.* INFO after\n$/);
    });
  });

  it('that cannot be opened is an error at once, not at the first line', async () => {
    await withTempDir((directory) => {
      assert.throws(
        () => openLog(pino, { level: 'info', format: 'text', file: join(directory, 'no', 'log') }),
        LogFileMistake,
      );
    });
  });

  it('that was renamed goes on in a new file once it is opened again, and loses no line', async () => {
    await withTempDir((directory) => {
      const [file, old] = [join(directory, 'log'), join(directory, 'log.1')];
      const log = openLog(pino, { level: 'info', format: 'text', file });
      log.info({}, 'one');
      renameSync(file, old);
      log.info({}, 'two');
      const before = openFiles();
      log.reopen();
      assert.equal(openFiles(), before, 'the old file is still open');
      log.info({}, 'three');
      log.reopen();
      log.info({}, 'four');
      const messages = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n').map(withoutTime);
      assert.deepEqual(messages(old), ['INFO one', 'INFO two']);
      assert.deepEqual(messages(file), ['INFO three', 'INFO four']);
    });
  });

  it('that cannot be opened again goes on in the old file, and says so', async () => {
    await withTempDir((directory) => {
      const [file, old] = [join(directory, 'log'), join(directory, 'log.1')];
      const log = openLog(pino, { level: 'info', format: 'text', file });
      log.info({}, 'one');
      renameSync(file, old);
      mkdirSync(file);
      const before = openFiles();
      log.reopen();
      assert.equal(openFiles(), before);
      log.info({}, 'two');
      const [one, error, hint, two] = readFileSync(old, 'utf8').trimEnd().split('\n').map(withoutTime);
      assert.deepEqual([one, two], ['INFO one', 'INFO two']);
      assert.match(error ?? '', /^ERROR the log file cannot be opened again -- fault=".*log is not a regular file"$/);
      assert.ok(hint?.startsWith(`hint: the log goes on in the file that was ${file}; make ${file} writable`));
      rmdirSync(file);
      log.reopen();
      log.info({}, 'three');
      assert.match(readFileSync(file, 'utf8'), /INFO three\n$/);
    });
  });

  it('to standard error has nothing to open again', () => {
    const lines: string[] = [];
    const log = openLog(pino, { level: 'info', format: 'text', stderr: (text) => void lines.push(text) });
    log.reopen();
    log.info({}, 'one');
    assert.equal(lines.length, 1);
  });

  it('that is silent accepts everything and writes nothing', () => {
    all(SILENT);
  });
});

describe('a late log', () => {
  it('is opened by the first error, once, and accepts nothing else', () => {
    const messages: string[] = [];
    let opened = 0;
    const log = lateLog(() => {
      opened++;
      return {
        ...SILENT,
        reopen() {},
        error: (fields, message) => void messages.push(`${message} ${JSON.stringify(fields)}`),
      };
    });
    log.info({}, 'not logged');
    log.warn({}, 'not logged');
    assert.equal(opened, 0);
    log.error({ n: 1 }, 'first');
    log.error({}, 'second');
    assert.deepEqual([opened, ...messages], [1, 'first {"n":1}', 'second {}']);
  });
});
