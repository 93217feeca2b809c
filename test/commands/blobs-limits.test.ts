import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd, syncpozo } from '../support/cli.js';
import { listing } from '../support/pair.js';
import { asNobody, NOBODY, needsMounts, needsOtherUser, withMounts } from '../support/powers.js';
import { SmallDisk } from '../support/small-disk.js';

const AS_NOBODY = { through: asNobody };
const KIB = 1024;

function giveSlave(pair: BlobPair): void {
  for (const root of [pair.slave, pair.slaveBlobs]) {
    chownSync(root, NOBODY, NOBODY);
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }))
      chownSync(join(root, name), NOBODY, NOBODY);
  }
}

/** Files only: a run that fails may have made directories. */
const files = (path: string) => listing(path).filter((line) => !line.startsWith('directory '));

describe('a user other than root', { skip: needsOtherUser ?? false }, () => {
  it('copies blobs, which are his own', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one', 'two');
      giveSlave(pair);
      assertEnd(pair.syncBlobsWith(AS_NOBODY), { exit: 0 });
      ids.push(...pair.commitBlobs('three'));
      assertEnd(pair.syncBlobsWith(AS_NOBODY), { exit: 0 });
      pair.assertSameBlobs(ids);
      for (const id of ids) {
        const { uid, mode } = lstatSync(pair.onSlave(id));
        assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o444]);
      }
    }));

  it('gets an error that names what he may not read or write', (test) =>
    withBlobPair(async (pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      giveSlave(pair);
      ids.push(...pair.commitBlobs('two'));
      const id = ids[1]!;
      const places: readonly (readonly [string, string, RegExp])[] = [
        ["the master's blob", pair.onMaster(id), /open .*master-blobs.*\.blob: permission denied \(EACCES\)/],
        ['a directory on the way', dirname(pair.onMaster(id)), /open .*master-blobs.*\.blob: .*EACCES/],
        ["the master's layout", join(pair.masterBlobs, '.layout'), /open .*master-blobs\/\.layout: .*EACCES/],
        ["the master's blob directory", pair.masterBlobs, /master-blobs.*EACCES/],
        ["the slave's blob directory", pair.slaveBlobs, /slave-blobs.*EACCES/],
        ["a directory on the slave's way", join(pair.slaveBlobs, '0x00'), /slave-blobs.*EACCES/],
      ];
      for (const [name, path, reason] of places)
        await test.test(name, () => {
          const { mode, uid, gid } = statSync(path);
          chownSync(path, 0, 0);
          chmodSync(path, 0o700);
          const before = [files(pair.slaveBlobs), statSync(pair.slaveFile).size];
          const run = pair.syncBlobsWith(AS_NOBODY);
          assert.deepEqual([files(pair.slaveBlobs), statSync(pair.slaveFile).size], before);
          chownSync(path, uid, gid);
          chmodSync(path, mode & 0o777);
          assertEnd(run, { exit: 1, action: 'failed', reason, hint: /needs to read the master/ });
        });
      assertEnd(pair.syncBlobsWith(AS_NOBODY), { exit: 0 });
      pair.assertSameBlobs(ids);
    }));
});

describe("the slave's blob directory", { skip: needsMounts ?? false }, () => {
  it('mounted read-only is an error that says so; with nothing new the run succeeds', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      const through = withMounts(
        `mount --bind ${pair.slaveBlobs} ${pair.slaveBlobs}\nmount -o remount,bind,ro ${pair.slaveBlobs}`,
      );
      assertEnd(pair.syncBlobsWith({ through }), { exit: 0, action: 'none' });
      ids.push(...pair.commitBlobs('two'));
      const before = files(pair.slaveBlobs);
      const run = pair.syncBlobsWith({ through });
      assertEnd(run, { exit: 1, action: 'failed', reason: /slave-blobs.*EROFS/, hint: /mounted read-only/ });
      assert.deepEqual(files(pair.slaveBlobs), before);
      pair.syncedBlobs();
      pair.assertSameBlobs(ids);
      pair.assertInStep();
    }));

  it("that is the master's by a bind mount is refused", () =>
    withBlobPair((pair) => {
      pair.commitBlobs('one');
      const through = withMounts(`mount --bind ${pair.masterBlobs} ${pair.slaveBlobs}`);
      assertEnd(pair.syncBlobsWith({ through }), { exit: 2, action: 'failed', reason: /are the same/ });
      assert.equal(existsSync(pair.slaveFile), false);
    }));

  it('on a full disk: nothing is left of the copy, no transaction came before its blob; with room it goes on', () =>
    withBlobPair(async (pair) => {
      const disk = await SmallDisk.make(join(pair.directory, 'disk'), 4096 * KIB);
      try {
        const blobs = join(disk.mount, 'blobs');
        const view = join(disk.view, 'blobs');
        mkdirSync(view);
        const sync = () =>
          syncpozo(pair.syncArgs('--quiet', '--blobs', `${pair.masterBlobs}:${blobs}`), { through: disk.through });
        pair.commitBlobs('x'.repeat(100 * KIB));
        assertEnd(sync(), { exit: 0 });
        const { size } = statSync(pair.slaveFile);
        const before = files(view);
        const [id] = pair.commitBlobs('y'.repeat(1000 * KIB), 'small');
        disk.leave(300 * KIB);
        const expected = { exit: 1, action: 'failed', reason: /write .*syncpozo-tmp at \d+: no space.*ENOSPC/ };
        assertEnd(sync(), { ...expected, hint: /make room/ });
        const path = pair.onSlave(id!).replace(pair.slaveBlobs, view);
        assert.deepEqual([existsSync(path), existsSync(`${path}.syncpozo-tmp`)], [false, false]);
        for (const line of before) assert.ok(files(view).includes(line), line);
        assert.equal(statSync(pair.slaveFile).size, size);
        disk.leave(4096 * KIB);
        const run = sync();
        assertEnd(run, { exit: 0, action: 'append' });
        assert.equal(run.json.blobs.count, 3);
        assert.equal(statSync(path).size, 1000 * KIB);
        pair.assertInStep();
      } finally {
        await disk.remove();
      }
    }));
});
