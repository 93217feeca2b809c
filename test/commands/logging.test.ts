import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tidToIso } from '../../src/filestorage/tid.js';
import { assertNoCrash, type LogRecord, syncpozo } from '../support/cli.js';
import { duplicateKeys } from '../support/duplicate-keys.js';
import { withPair } from '../support/pair.js';

function recordsIn(path: string): LogRecord[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as LogRecord);
}

describe('the log', () => {
  it('is JSON lines when standard error is no terminal, each with level, time and message', () =>
    withPair((pair) => {
      const { records, exit } = pair.sync();
      assert.equal(exit, 0);
      assert.deepEqual(
        records.map(({ msg }) => msg),
        [
          'Script has started synchronization',
          'Start syncing',
          'missing or empty .dat file (full backup)',
          'Finished syncing',
        ],
      );
      for (const { level, time } of records) {
        assert.match(level, /^(debug|info|warn|error)$/);
        assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
      }
      const last = records.at(-1);
      assert.deepEqual(
        [last?.['master'], last?.['slave'], last?.['claim'], last?.['transactions']],
        [pair.masterFile, pair.slaveFile, pair.site.committedEnd, 3],
      );
    }));

  it('is text on request, with a hint on its own line', () =>
    withPair((pair) => {
      const good = pair.sync('--log-format', 'text');
      assert.match(good.stderr, /^\S+Z INFO Finished syncing -- action=full master=\/\S+ slave=\/\S+ claim=\d+ /m);
      assert.equal(good.json.action, 'full');
      rmSync(pair.masterFile);
      const bad = pair.sync('--log-format', 'text');
      assertNoCrash(bad);
      assert.match(bad.stderr, /^\S+Z ERROR master out of reach: .*\n\S+Z hint: is the master mounted/m);
    }));

  it('is appended to the named file, and standard error stays empty', () =>
    withPair((pair) => {
      const path = join(pair.directory, 'log');
      writeFileSync(path, '{"msg":"of yesterday"}\n');
      for (const count of [5, 8]) {
        const run = pair.sync('--log-file', path);
        assert.deepEqual([run.exit, run.stderr], [0, '']);
        assert.equal(recordsIn(path).length, count);
      }
      assert.equal(recordsIn(path)[0]?.msg, 'of yesterday');
    }));

  it('has only errors with --quiet', () =>
    withPair((pair) => {
      assert.equal(pair.sync('--quiet').stderr, '');
      rmSync(pair.masterFile);
      assert.deepEqual(
        pair.sync('--quiet').records.map(({ level }) => level),
        ['error'],
      );
    }));

  it('has no level below the requested one', () =>
    withPair((pair) => {
      pair.synced();
      assert.equal(pair.sync('--log-level', 'warn').stderr, '');
      rmSync(pair.dat);
      const { records } = pair.sync('--log-level', 'warn');
      assert.deepEqual(
        records.map(({ level }) => level),
        ['warn'],
      );
    }));

  it('is the only output without --json', () =>
    withPair((pair) => {
      const run = syncpozo(pair.syncArgs().filter((word) => word !== '--json'));
      assert.deepEqual([run.exit, run.stdout], [0, '']);
      pair.assertInStep();
    }));

  it('has a damaged transaction and its time in separate keys, beside the usual ones', () =>
    withPair((pair) => {
      const damaged = pair.site.committedEnd;
      pair.commit('its trailing length is going to be wrong');
      const end = pair.site.committedEnd;
      pair.commit('more', 'and more');
      const bytes = readFileSync(pair.masterFile);
      bytes.writeUInt8(0xff, end - 8);
      writeFileSync(pair.masterFile, bytes);
      const started = new Date().toISOString();
      const run = pair.sync();
      assert.equal(run.exit, 4, run.all);
      assert.deepEqual(run.stderr.trimEnd().split('\n').flatMap(duplicateKeys), []);
      const record = run.records.find(({ level }) => level === 'error');
      assert.equal(record?.['position'], damaged);
      assert.equal(record?.['transactionTime'], tidToIso(bytes.readBigUInt64BE(damaged)));
      assert.ok(String(record?.['time']) >= started, 'the time is the one at which it was logged');
      const text = pair.sync('--log-format', 'text').stderr.trimEnd().split('\n');
      assert.ok(
        text.every((line) => line.slice(0, started.length) >= started),
        text.join('\n'),
      );
    }));

  for (const name of ['nowhere/log', 'a-directory'])
    it(`that cannot be opened (${name}) is an error, and nothing is synced`, () =>
      withPair((pair) => {
        mkdirSync(join(pair.directory, 'a-directory'));
        const run = pair.unchanged(() => pair.sync('--log-file', join(pair.directory, name)));
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, new RegExp(`^syncpozo: the log file /.*${name} .*\nhint: .*${name}`));
      }));

  for (const command of ['sync', 'verify', 'index'])
    for (const reader of ['no reader', 'a reader'])
      it(`to a pipe with ${reader} is a usage error at once: ${command}`, () =>
        withPair((pair) => {
          pair.synced();
          const pipe = join(pair.directory, 'pipe');
          execFileSync('mkfifo', [pipe]);
          const args = command === 'sync' ? pair.syncArgs() : [command, pair.slave];
          // A pipe that is open in both directions has a reader, so opening it does not block.
          const through = reader === 'a reader' ? ['sh', '-c', `exec 3<>"$0"; exec "$@"`, pipe] : [];
          const run = pair.unchanged(() => syncpozo([...args, '--log-file', pipe], { through }));
          assertNoCrash(run);
          assert.equal(run.exit, 2, run.all);
          assert.equal(run.stdout, '');
          assert.match(run.stderr, /^syncpozo: the log file \/.*pipe is not a regular file\nhint: .*pipe/);
        }));

  it('may be /dev/null, or /dev/stderr whatever its type', () =>
    withPair((pair) => {
      const nowhere = pair.sync('--log-file', '/dev/null');
      assert.deepEqual([nowhere.exit, nowhere.stderr], [0, '']);
      const piped = { through: ['sh', '-c', '{ "$@" 2>&1 >&3 | cat >&2; } 3>&1', 'sh'] };
      for (const options of [{}, piped]) {
        const run = pair.syncWith(options, '--log-file', '/dev/stderr');
        assert.equal(run.records.at(-1)?.msg, 'Finished syncing', run.all);
      }
    }));

  it('that fails to write does not stop the sync', () =>
    withPair((pair) => {
      const run = pair.sync('--log-file', '/dev/full');
      assert.equal(run.exit, 0, run.all);
      assert.match(run.stderr, /Finished syncing/);
      pair.assertInStep();
    }));
});
