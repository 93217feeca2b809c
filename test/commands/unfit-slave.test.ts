import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

const MISTAKE = { exit: 2, action: 'failed' };

function syncTo(pair: Pair, slave: string, ...more: string[]) {
  return syncpozo(['sync', pair.master, slave, '--json', '--status-file', pair.statusFile, ...more]);
}

describe('sync reports a usage error, and writes nothing,', () => {
  it("when the slave's directory does not exist", () =>
    withPair((pair) => {
      rmSync(pair.slave, { recursive: true });
      assertEnd(pair.sync(), { ...MISTAKE, reason: /slave's directory .*slave does not exist/, hint: /mounted/ });
      assert.equal(existsSync(pair.slave), false);
    }));

  it('when the directory of a slave given as a file does not exist', () =>
    withPair((pair) => {
      const run = syncTo(pair, join(pair.directory, 'nowhere', 'Data.fs'));
      assertEnd(run, { ...MISTAKE, reason: /slave's directory .*nowhere does not exist/ });
    }));

  it('when SLAVE is a file instead of a directory', () =>
    withPair((pair) => {
      const file = join(pair.directory, 'file');
      writeFileSync(file, 'a text');
      const run = pair.unchanged(() => syncTo(pair, join(file, 'slave')));
      assertEnd(run, { ...MISTAKE, reason: /does not exist/ });
      assert.equal(readFileSync(file, 'utf8'), 'a text');
    }));

  it('when Data.fs on the slave is a directory', () =>
    withPair((pair) => {
      mkdirSync(pair.slaveFile);
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { ...MISTAKE, reason: /is a directory, not a file/, hint: /SLAVE is the directory/ },
      );
    }));

  it('when Data.fs on the slave is a pipe', () =>
    withPair((pair) => {
      execFileSync('mkfifo', [pair.slaveFile]);
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { ...MISTAKE, reason: /not a file/ },
      );
    }));

  for (const target of ['a file elsewhere', 'nothing', 'the master'])
    it(`when Data.fs on the slave is a symbolic link to ${target}`, () =>
      withPair((pair) => {
        const elsewhere = target === 'the master' ? pair.masterFile : join(pair.directory, 'elsewhere');
        if (target === 'a file elsewhere') writeFileSync(elsewhere, 'something of an operator');
        symlinkSync(elsewhere, pair.slaveFile);
        for (const more of [[], ['--full']]) {
          const run = pair.unchanged(() => pair.sync(...more));
          assertEnd(run, { ...MISTAKE, reason: /is a symbolic link/, hint: /name the file that it points to/ });
        }
        if (target === 'a file elsewhere') assert.equal(readFileSync(elsewhere, 'utf8'), 'something of an operator');
        if (target === 'nothing') assert.equal(existsSync(elsewhere), false);
      }));

  it('when MASTER and SLAVE are the same directory, however it is spelled', () =>
    withPair((pair) => {
      const byLink = join(pair.directory, 'link');
      symlinkSync(pair.master, byLink);
      for (const slave of [pair.master, `${pair.master}/`, pair.masterFile, byLink, join(byLink, 'Data.fs')]) {
        const run = pair.unchanged(() => syncTo(pair, slave));
        assertEnd(run, { ...MISTAKE, reason: 'MASTER and SLAVE are the same file', hint: /master first/ });
      }
    }));

  for (const [how, join_] of [
    ['a hard link', (pair: Pair) => linkSync(pair.masterFile, pair.slaveFile)],
    [
      'a symbolic link from the master',
      (pair: Pair) => {
        const bytes = readFileSync(pair.masterFile);
        rmSync(pair.masterFile);
        writeFileSync(pair.slaveFile, bytes);
        symlinkSync(pair.slaveFile, pair.masterFile);
      },
    ],
  ] as const)
    it(`when MASTER and SLAVE are the same file by ${how}`, () =>
      withPair((pair) => {
        pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
        join_(pair);
        assertEnd(
          pair.unchanged(() => pair.sync()),
          { ...MISTAKE, reason: 'MASTER and SLAVE are the same file' },
        );
      }));
});

describe('sync works', () => {
  it("when the slave's directory is a symbolic link", () =>
    withPair((pair) => {
      const byLink = join(pair.directory, 'link');
      symlinkSync(pair.slave, byLink);
      const run = syncTo(pair, byLink);
      assertEnd(run, { exit: 0, action: 'full' });
      assert.equal(run.json.slave.path, pair.slaveFile);
      pair.assertInStep();
      pair.assertNothingNew();
    }));

  it('when the master is a symbolic link to its file, which stays unchanged', () =>
    withPair((pair) => {
      const byLink = join(pair.directory, 'link.fs');
      symlinkSync(pair.masterFile, byLink);
      const args = ['sync', byLink, pair.slave, '--json', '--status-file', pair.statusFile];
      const before = listing(pair.master);
      const run = syncpozo(args);
      assertEnd(run, { exit: 0, action: 'full' });
      assert.equal(run.json.slave.path, join(pair.slave, 'link.fs'), 'the name is the one that was given');
      assert.ok(readFileSync(run.json.slave.path).equals(readFileSync(pair.masterFile)));
      assert.deepEqual(listing(pair.master), before);
      assertEnd(syncpozo(args), { exit: 0, action: 'none' });
    }));
});
