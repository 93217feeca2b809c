import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

/** A file outside the slave's directory that must not change, whatever points to it. */
function outside(pair: Pair): { readonly path: string; readonly assertUntouched: () => void } {
  const directory = join(pair.directory, 'outside');
  mkdirSync(directory);
  const path = join(directory, 'precious');
  writeFileSync(path, 'something of an operator', { mode: 0o640 });
  const before = listing(directory);
  return { path, assertUntouched: () => assert.deepEqual(listing(directory), before) };
}

function replaceByLink(path: string, target: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

describe('sync never follows a symbolic link beside the slave', () => {
  for (const name of ['Data.fs.dat', 'Data.fs.lock'])
    for (const target of ['a file', 'nothing'])
      it(`${name}, to ${target}: an error that names it`, () =>
        withPair((pair) => {
          const { path, assertUntouched } = outside(pair);
          const nowhere = join(pair.directory, 'outside', 'nowhere');
          pair.synced();
          pair.commit('since then');
          replaceByLink(join(pair.slave, name), target === 'a file' ? path : nowhere);
          for (const more of target === 'a file' ? [[], ['--full']] : [['--dry-run']]) {
            const run = pair.unchanged(() => pair.sync(...more));
            assertEnd(run, { exit: 1, action: 'failed', reason: new RegExp(name), hint: /symbolic links/ });
          }
          assertUntouched();
          assert.equal(existsSync(nowhere), false);
          rmSync(join(pair.slave, name));
          pair.assertRepairs();
        }));

  it("Data.fs.lock with a second hard link: a usage error, because the lock's text would overwrite that file", () =>
    withPair((pair) => {
      const { path, assertUntouched } = outside(pair);
      pair.synced();
      pair.commit('since then');
      rmSync(join(pair.slave, 'Data.fs.lock'));
      linkSync(path, join(pair.slave, 'Data.fs.lock'));
      for (const command of [
        ['sync', pair.master, pair.slave],
        ['promote', pair.slave],
        ['demote', pair.slave],
      ]) {
        const run = syncpozo([...command, '--status-file', pair.statusFile]);
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr + run.stdout, /Data\.fs\.lock has 2 names/);
      }
      assert.equal(readFileSync(path, 'utf8'), 'something of an operator');
      rmSync(join(pair.slave, 'Data.fs.lock'));
      pair.assertRepairs();
      assertUntouched();
    }));

  for (const name of ['Data.fs.new', 'Data.fs.dat.tmp', 'Data.fs.index'])
    it(`${name}: its target stays, and the sync continues`, () =>
      withPair((pair) => {
        const { path, assertUntouched } = outside(pair);
        symlinkSync(path, join(pair.slave, name));
        assertEnd(pair.sync(), { exit: 0, action: 'full' });
        assertUntouched();
        pair.assertInStep();
        assert.equal(lstatSync(pair.slaveFile).isFile(), true);
        pair.assertNothingNew();
        assertUntouched();
      }));

  it('Data.fs.only-here-TID: its target stays, and the old slave is kept under another name', () =>
    withPair((pair) => {
      const { path, assertUntouched } = outside(pair);
      pair.synced();
      const tid = pair.commitToSlave('only here').toString(16).padStart(16, '0');
      const aside = join(pair.slave, `Data.fs.only-here-${tid}`);
      symlinkSync(path, aside);
      assertEnd(pair.sync('--full'), { exit: 0, action: 'rebuild' });
      assertUntouched();
      assert.equal(lstatSync(aside).isSymbolicLink(), true);
      assert.equal(lstatSync(`${aside}.1`).isFile(), true);
      pair.assertInStep();
    }));
});

describe('an obstacle at the path of one of our files', () => {
  it('a directory at Data.fs.new is an error that names it, and stays', () =>
    withPair((pair) => {
      const inTheWay = join(pair.slave, 'Data.fs.new');
      mkdirSync(inTheWay);
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { exit: 1, action: 'failed', reason: /Data\.fs\.new/ },
      );
      rmSync(inTheWay, { recursive: true });
      pair.assertRepairs();
    }));

  it('a Data.fs.new that a killed run left is removed', () =>
    withPair((pair) => {
      pair.synced();
      writeFileSync(join(pair.slave, 'Data.fs.new'), 'half a file');
      pair.sync();
      assert.equal(existsSync(join(pair.slave, 'Data.fs.new')), false);
      pair.assertNothingNew();
    }));

  for (const name of ['Data.fs.dat', 'Data.fs.lock'])
    it(`a pipe at ${name} does not hang the sync`, () =>
      withPair((pair) => {
        pair.synced().commit('more');
        rmSync(join(pair.slave, name));
        execFileSync('mkfifo', [join(pair.slave, name)]);
        for (const more of [['--dry-run'], []]) {
          const run = pair.sync(...more);
          assertNoCrash(run);
          assert.ok(run.exit === 0 || run.json.reason.includes(name), run.all);
        }
        rmSync(join(pair.slave, name));
        pair.assertRepairs();
      }));
});
