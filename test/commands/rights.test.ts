import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, type RunOptions, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { asNobody, NOBODY, needsMounts, needsOtherUser, withMounts } from '../support/powers.js';

const AS_NOBODY: RunOptions = { through: asNobody };
const HINT = /user that runs syncpozo needs to read the master/;

/** The slave belongs to the unprivileged user, who has all permissions that a sync needs. */
function giveSlave(pair: Pair): void {
  for (const path of [pair.slave, ...readdirSync(pair.slave).map((name) => join(pair.slave, name))])
    chownSync(path, NOBODY, NOBODY);
}

describe('a user other than root', { skip: needsOtherUser ?? false }, () => {
  it('syncs his own slave, repeatedly', () =>
    withPair((pair) => {
      giveSlave(pair);
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'full' });
      assert.equal(statSync(pair.slaveFile).uid, NOBODY);
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'none' });
      pair.commit('more');
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'append' });
      pair.assertInStep();
    }));

  it('continues with a slave that root created in his directory', () =>
    withPair((pair) => {
      chownSync(pair.slave, NOBODY, NOBODY);
      chownSync(pair.masterFile, NOBODY, NOBODY);
      pair.synced();
      pair.commit('more');
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'append' });
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'none' });
    }));

  it('continues with a slave whose master is read-only for everybody', () =>
    withPair((pair) => {
      giveSlave(pair);
      chmodSync(pair.masterFile, 0o444);
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'full' });
      pair.commit('more');
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 0, action: 'append' });
    }));

  const cases: readonly (readonly [string, (pair: Pair) => string])[] = [
    ['the master may not be read', ({ masterFile }) => masterFile],
    ["the master's directory may not be entered", ({ master }) => master],
    ["the slave's directory may not be entered", ({ slave }) => slave],
    ['the slave may not be read', ({ slaveFile }) => slaveFile],
    ['the .dat may not be read', ({ dat }) => dat],
    ['the lock file may not be opened', ({ slave }) => join(slave, 'Data.fs.lock')],
  ];
  it('gets an error that names the missing permission', (test) =>
    withPair(async (pair) => {
      pair.synced();
      giveSlave(pair);
      pair.commit('must not be copied');
      for (const [name, choose] of cases)
        await test.test(`when ${name}`, () => {
          const path = choose(pair);
          const { mode, uid, gid } = statSync(path);
          chownSync(path, 0, 0);
          chmodSync(path, 0o700);
          const run = pair.unchanged(() => pair.syncWith(AS_NOBODY));
          chownSync(path, uid, gid);
          chmodSync(path, mode & 0o777);
          assertEnd(run, { exit: 1, action: 'failed', reason: /EACCES/, hint: HINT });
        });
      pair.assertRepairs();
    }));

  it("gets an error when the slave's directory is not writable", () =>
    withPair((pair) => {
      chmodSync(pair.slave, 0o755);
      const run = pair.unchanged(() => pair.syncWith(AS_NOBODY));
      assertEnd(run, { exit: 1, action: 'failed', reason: /Data\.fs\.lock: permission denied \(EACCES\)/, hint: HINT });
    }));

  it('may run status and a dry run with read permission only', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('more');
      assertEnd(
        pair.unchanged(() => pair.syncWith(AS_NOBODY, '--dry-run')),
        { exit: 0, action: 'append' },
      );
      const status = syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile], AS_NOBODY);
      assert.equal(status.exit, 0, status.all);
      assert.equal(status.json.role, 'slave');
    }));

  it('gets an error when the status file is not readable or not writable', () =>
    withPair((pair) => {
      writeFileSync(pair.statusFile, 'SYNCING=1\n', { mode: 0o600 });
      assertEnd(pair.syncWith(AS_NOBODY), { exit: 1, action: 'failed', reason: /status.*EACCES/ });
      const off = syncpozo(['off', '--status-file', pair.statusFile], AS_NOBODY);
      assert.equal(off.exit, 1, off.all);
      assertNoCrash(off);
      assert.match(off.stderr, /^syncpozo: .*EACCES.*\nhint: /);
    }));
});

describe('a slave on a file system that is mounted read-only', { skip: needsMounts ?? false }, () => {
  it('is an error that names the cause', () =>
    withPair((pair) => {
      const mount = join(pair.directory, 'mount');
      mkdirSync(mount);
      pair.synced();
      pair.commit('must not be copied');
      const through = withMounts(`mount --bind ${pair.slave} ${mount}\nmount -o remount,bind,ro ${mount}`);
      const args = ['sync', pair.master, mount, '--json', '--status-file', pair.statusFile];
      for (const more of [[], ['--full']]) {
        const run = pair.unchanged(() => syncpozo([...args, ...more], { through }));
        assertEnd(run, { exit: 1, action: 'failed', reason: /EROFS/, hint: /mounted read-only/ });
      }
      rmSync(mount, { recursive: true });
      pair.assertRepairs();
    }));
});
