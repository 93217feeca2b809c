import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

interface Spelling {
  readonly name: string;
  readonly master: (pair: Pair) => string;
  readonly slave: (pair: Pair) => string;
}

const SPELLINGS: readonly Spelling[] = [
  { name: 'files on both sides', master: (pair) => pair.masterFile, slave: (pair) => pair.slaveFile },
  { name: 'the file of the slave', master: (pair) => pair.master, slave: (pair) => pair.slaveFile },
  { name: 'the file of the master', master: (pair) => pair.masterFile, slave: (pair) => pair.slave },
  {
    name: 'directories with trailing slashes',
    master: (pair) => `${pair.master}//`,
    slave: (pair) => `${pair.slave}/`,
  },
  {
    name: 'directories with . and .. in their paths',
    master: (pair) => `${pair.slave}/../master/.`,
    slave: (pair) => `${pair.slave}/./`,
  },
  { name: 'paths relative to the current directory', master: () => 'master', slave: () => './slave' },
];

describe('MASTER and SLAVE may be given as', () => {
  for (const { name, master, slave } of SPELLINGS)
    it(name, () =>
      withPair((pair) => {
        const args = ['sync', master(pair), slave(pair), '--json', '--status-file', pair.statusFile];
        const run = syncpozo(args, { cwd: pair.directory });
        assertEnd(run, { exit: 0, action: 'full' });
        assert.deepEqual([run.json.master.path, run.json.slave.path], [pair.masterFile, pair.slaveFile]);
        pair.assertInStep();
        assert.deepEqual(readdirSync(pair.slave).sort(), [
          'Data.fs',
          'Data.fs.dat',
          'Data.fs.index',
          'Data.fs.lock',
          'Data.fs.outcome',
          'Data.fs.role',
        ]);
      }),
    );

  for (const name of ['with spaces in it', 'Döner ☃ 数据', 'it\'s $HOME;`x` "y"', '-dash', 'new\nline'])
    it(`odd names: ${JSON.stringify(name)}`, () =>
      withPair((pair) => {
        const [master, slave] = [join(pair.directory, `m ${name}`), join(pair.directory, `s ${name}`)];
        mkdirSync(slave);
        renameSync(pair.master, master);
        const args = ['sync', master, slave, '--json', '--status-file', join(pair.directory, name)];
        assertEnd(syncpozo(args), { exit: 0, action: 'full' });
        assertEnd(syncpozo(args), { exit: 0, action: 'none' });
        assert.ok(readFileSync(join(slave, 'Data.fs')).equals(readFileSync(join(master, 'Data.fs'))));
        const status = syncpozo(['status', slave, '--master', master, '--status-file', pair.statusFile]);
        assertNoCrash(status);
        assert.equal(status.exit, 0);
        renameSync(master, pair.master);
      }));
});

describe('a file with another name', () => {
  it('in both directories is given with --file, and the files beside it take its name', () =>
    withPair((pair) => {
      renameSync(pair.masterFile, join(pair.master, 'Other.fs'));
      assertEnd(pair.sync('--file', 'Other.fs'), { exit: 0, action: 'full' });
      assert.deepEqual(readdirSync(pair.slave).sort(), [
        'Other.fs',
        'Other.fs.dat',
        'Other.fs.index',
        'Other.fs.lock',
        'Other.fs.outcome',
        'Other.fs.role',
      ]);
      assertEnd(pair.sync('--file', 'Other.fs'), { exit: 0, action: 'none' });
    }));

  it('does not affect another storage in the same directories', () =>
    withPair((pair) => {
      pair.synced();
      renameSync(pair.masterFile, join(pair.master, 'Other.fs'));
      const before = listing(pair.slave);
      assertEnd(pair.sync('--file', 'Other.fs'), { exit: 0, action: 'full' });
      assert.deepEqual(
        listing(pair.slave).filter((line) => line.includes(' Data.fs')),
        before,
      );
    }));

  it("on the master alone is given as MASTER, and the name in the slave's directory with --file", () =>
    withPair((pair) => {
      const other = join(pair.master, 'catalog.fs');
      renameSync(pair.masterFile, other);
      const args = ['sync', other, pair.slave, '--json', '--status-file', pair.statusFile];
      const run = syncpozo([...args, '--file', 'Data.fs']);
      assertEnd(run, { exit: 0, action: 'full' });
      assert.equal(run.json.slave.path, pair.slaveFile);
    }));

  for (const name of ['../outside.fs', '/outside.fs', 'sub/Data.fs', '', '.', '..'])
    it(`must be a plain name, so ${JSON.stringify(name)} is a usage error`, () =>
      withPair((pair) => {
        const run = pair.unchanged(() => pair.sync('--file', name));
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.deepEqual(readdirSync(pair.directory).sort(), ['master', 'slave']);
      }));

  it('at the end of a path that does not exist is taken as the file: no directory of that name is created', () =>
    withPair((pair) => {
      const path = join(pair.slave, 'Copy.fs');
      const run = syncpozo(['sync', pair.masterFile, path, '--json', '--status-file', pair.statusFile]);
      assertEnd(run, { exit: 0, action: 'full' });
      assert.equal(existsSync(join(path, 'Data.fs')), false);
      assert.ok(readFileSync(path).equals(readFileSync(pair.masterFile)));
    }));

  it('keeps its place when the directory is a symbolic link', () =>
    withPair((pair) => {
      const byLink = join(pair.directory, 'link');
      symlinkSync(pair.slave, byLink);
      const run = syncpozo(['sync', pair.masterFile, `${byLink}/Copy.fs`, '--json', '--status-file', pair.statusFile]);
      assertEnd(run, { exit: 0, action: 'full' });
      assert.equal(run.json.slave.path, join(pair.slave, 'Copy.fs'));
    }));
});
