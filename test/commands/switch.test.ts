import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, Running, syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';
import { withTempDir } from '../support/site.js';

describe('the status file', () => {
  it('stops the sync unless it holds SYNCING=0 or SYNCING=1, and the sync reports its content', (test) =>
    withPair(async (pair) => {
      pair.synced();
      pair.commit('must not be copied');
      const contents = ['', 'garbage', 'SYNCING=2\n', 'SYNCING=', 'syncing=1\n', 'SYNCING=1 SYNCING=0', '\0\0\0\0'];
      for (const text of contents)
        await test.test(JSON.stringify(text), () => {
          writeFileSync(pair.statusFile, text);
          const run = pair.unchanged(() => pair.sync());
          const reason = `status file ${pair.statusFile} holds ${JSON.stringify(text)}, expected SYNCING=0 or SYNCING=1`;
          assertEnd(run, { exit: 2, action: 'failed', reason, hint: /syncpozo on.*syncpozo off/ });
        });
      rmSync(pair.statusFile);
      pair.assertRepairs();
    }));

  it('may be missing, which means on, and its path may come from the environment', () =>
    withPair((pair) => {
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      const args = ['sync', pair.master, pair.slave, '--json'];
      const env = { SYNCPOZO_STATUS: pair.statusFile };
      assertEnd(syncpozo(args, { env }), { exit: 0, action: 'off' });
      rmSync(pair.statusFile);
      assertEnd(syncpozo(args, { env }), { exit: 0, action: 'full' });
      assert.equal(existsSync(pair.statusFile), false);
    }));

  it('stops the sync when it is a directory', () =>
    withPair((pair) => {
      mkdirSync(pair.statusFile);
      const run = pair.unchanged(() => pair.sync());
      assertEnd(run, { exit: 2, action: 'failed', reason: /holds "a directory"/ });
    }));

  it('does not hang the sync when it is a pipe', () =>
    withPair((pair) => {
      execFileSync('mkfifo', [pair.statusFile]);
      const run = pair.unchanged(() => pair.sync());
      assert.ok(run.exit === 1 || run.exit === 2, run.all);
      assertNoCrash(run);
    }));

  it('with SYNCING=0 keeps every byte, whatever the options', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('must not be copied');
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      for (const more of [[], ['--full'], ['--dry-run']]) {
        const run = pair.unchanged(() => pair.sync(...more));
        assertEnd(run, { exit: 0, action: 'off', hint: null });
        assert.ok(
          run.records.some(({ msg }) => msg === 'NOT SYNCING FROM MASTER'),
          run.all,
        );
      }
    }));
});

describe('syncpozo off and syncpozo on', () => {
  it('write the status file, which sync obeys', () =>
    withPair((pair) => {
      const off = syncpozo(['off', '--status-file', pair.statusFile]);
      assert.equal(off.exit, 0, off.all);
      assert.equal(off.stdout, `SYNCING=0 in ${pair.statusFile}\n`);
      assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=0\n');
      assert.equal(statSync(pair.statusFile).mode & 0o777, 0o644);
      assertEnd(pair.sync(), { exit: 0, action: 'off' });
      const on = syncpozo(['on', '--json', '--status-file', pair.statusFile]);
      assert.deepEqual(on.json, { statusFile: pair.statusFile, syncing: true });
      assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=1\n');
      assertEnd(pair.sync(), { exit: 0, action: 'full' });
    }));

  it('replace invalid content', () =>
    withTempDir((directory) => {
      const path = join(directory, 'status');
      writeFileSync(path, 'garbage');
      assert.equal(syncpozo(['off', '--quiet', '--status-file', path]).stdout, '');
      assert.equal(readFileSync(path, 'utf8'), 'SYNCING=0\n');
    }));

  it('do not write through a symbolic link', () =>
    withTempDir((directory) => {
      const precious = join(directory, 'precious');
      writeFileSync(precious, 'something of an operator');
      symlinkSync(precious, join(directory, 'status'));
      assertNoCrash(syncpozo(['off', '--status-file', join(directory, 'status')]));
      assert.equal(readFileSync(precious, 'utf8'), 'something of an operator');
    }));

  it('report a missing directory of the status file', () =>
    withTempDir((directory) => {
      const run = syncpozo(['off', '--status-file', join(directory, 'nowhere', 'status')]);
      assert.equal(run.exit, 1, run.all);
      assertNoCrash(run);
      assert.match(run.stderr, /nowhere\/status.*ENOENT/);
      assert.equal(run.stdout, '');
    }));

  it('never expose a partial file to a reader', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'status');
      writeFileSync(path, 'SYNCING=1\n');
      const turns = ['off', 'on', 'off', 'on', 'off'].map((value) => Running.start([value, '--status-file', path]));
      while (!turns.every(({ ended }) => ended)) {
        assert.match(readFileSync(path, 'utf8'), /^SYNCING=[01]\n$/);
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const turn of turns) assert.equal((await turn.end()).exit, 0, 'each of them has done what it was asked for');
      assert.match(readFileSync(path, 'utf8'), /^SYNCING=[01]\n$/);
      assert.deepEqual(readdirSync(directory), ['status']);
    }));
});
