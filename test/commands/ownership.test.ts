import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { needsRoot } from '../support/powers.js';

const [OWNER, GROUP, OTHER] = [54_321, 54_322, 54_323];

function rights(pair: Pair, name: string): [string, number, number] {
  const { mode, uid, gid } = statSync(join(pair.slave, name));
  return [(mode & 0o7777).toString(8), uid, gid];
}

describe('the slave gets', () => {
  it("the master's mode", async (test) => {
    for (const mode of [0o600, 0o640])
      await test.test(mode.toString(8), () =>
        withPair((pair) => {
          chmodSync(pair.masterFile, mode);
          pair.synced();
          assert.equal(statSync(pair.slaveFile).mode & 0o7777, mode);
        }),
      );
  });

  it("neither the set-id and sticky bits of the master's mode, nor write permission for others", async (test) => {
    for (const [given, data, index] of [
      [0o6664, '664', '664'],
      [0o1644, '644', '644'],
      [0o666, '664', '664'],
      [0o7777, '775', '664'],
      [0o4440, '640', '640'],
    ] as const)
      await test.test(given.toString(8), () =>
        withPair((pair) => {
          chmodSync(pair.masterFile, given);
          pair.synced();
          assert.deepEqual(
            ['Data.fs', 'Data.fs.index'].map((name) => rights(pair, name)[0]),
            [data, index],
          );
          assert.equal((statSync(pair.masterFile).mode & 0o7777).toString(8), given.toString(8));
        }),
      );
  });

  it('an index without write permission for others, even if the slave was created with it', () =>
    withPair((pair) => {
      pair.synced();
      chmodSync(pair.slaveFile, 0o6666);
      rmSync(`${pair.slaveFile}.index`);
      assert.equal(syncpozo(['index', pair.slave]).exit, 0);
      assert.equal(rights(pair, 'Data.fs.index')[0], '664');
    }));

  it("the master's current mode in a rebuild", () =>
    withPair((pair) => {
      pair.synced();
      chmodSync(pair.masterFile, 0o600);
      pair.synced('--full');
      assert.equal(statSync(pair.slaveFile).mode & 0o7777, 0o600);
    }));

  it("the master's mode and owner whatever the umask", () =>
    withPair((pair) => {
      chmodSync(pair.masterFile, 0o664);
      const through = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];
      assert.equal(pair.syncWith({ through }).exit, 0);
      assert.equal(rights(pair, 'Data.fs')[0], '664');
      assert.equal(rights(pair, 'Data.fs.dat')[0], '644');
      assert.equal(rights(pair, 'Data.fs.lock')[0], '644');
    }));

  it(
    "the master's owner when root syncs, and the other files get the slave directory's owner",
    { skip: needsRoot ?? false },
    () =>
      withPair((pair) => {
        chownSync(pair.masterFile, OWNER, GROUP);
        chownSync(pair.slave, OTHER, GROUP);
        pair.synced();
        assert.deepEqual(rights(pair, 'Data.fs'), ['644', OWNER, GROUP]);
        assert.deepEqual(rights(pair, 'Data.fs.dat'), ['644', OTHER, GROUP]);
        assert.deepEqual(rights(pair, 'Data.fs.lock'), ['644', OTHER, GROUP]);
        pair.commit('more');
        pair.synced();
        assert.deepEqual(rights(pair, 'Data.fs'), ['644', OWNER, GROUP]);
        assert.deepEqual(rights(pair, 'Data.fs.dat'), ['644', OTHER, GROUP]);
      }),
  );

  it("its directory's owner when the master's owner is squashed to nobody", { skip: needsRoot ?? false }, () =>
    withPair((pair) => {
      chownSync(pair.masterFile, 65_534, 65_534);
      chownSync(pair.slave, OTHER, GROUP);
      pair.synced();
      assert.deepEqual(rights(pair, 'Data.fs'), ['644', OTHER, GROUP]);
    }),
  );
});

describe('the master', () => {
  it('keeps mode, owner and times, and no file is created in its directory', () =>
    withPair((pair) => {
      const before = statSync(pair.masterFile);
      for (const more of [[], [], ['--full']]) pair.synced(...more);
      const after = statSync(pair.masterFile);
      assert.deepEqual(
        [after.mode, after.uid, after.gid, after.ctimeMs, after.mtimeMs, after.ino],
        [before.mode, before.uid, before.gid, before.ctimeMs, before.mtimeMs, before.ino],
      );
    }));

  it('may lie in a read-only place', () =>
    withPair((pair) => {
      chmodSync(pair.masterFile, 0o444);
      chmodSync(pair.master, 0o555);
      pair.synced();
      chmodSync(pair.master, 0o755);
      const other = join(pair.directory, 'other');
      mkdirSync(other);
      const run = syncpozo(['sync', pair.slave, other, '--json', '--status-file', pair.statusFile]);
      assert.equal(run.exit, 0, run.all);
    }));
});
