import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';
import { listing } from '../support/pair.js';
import { NOBODY, needsRoot } from '../support/powers.js';

const LAYOUTS = ['bushy', 'lawn'] as const;

for (const layout of LAYOUTS) {
  describe(`blobs in the layout ${layout}`, () => {
    it('are copied, appended, edited, and found again', () =>
      withBlobPair(
        (pair) => {
          const ids = pair.commitBlobs('one', '', 'x'.repeat(700_000));
          const first = pair.syncedBlobs();
          assert.equal(first.json.action, 'full');
          assert.deepEqual(first.json.blobs, {
            copied: 3,
            bytes: 700_003,
            linked: 0,
            found: 0,
            removed: 0,
            count: 3,
            missing: 0,
            wrong: 0,
          });
          assert.equal(readFileSync(join(pair.slaveBlobs, '.layout'), 'utf8'), layout);
          ids.push(pair.edit(ids[0]!, 'another'), ...pair.commitBlobs('four'));
          const second = pair.syncedBlobs();
          assert.equal(second.json.action, 'append');
          assert.equal(second.json.blobs.copied, 2);
          assert.equal(second.json.blobs.count, 5);
          pair.assertSameBlobs(ids);
          pair.assertInStep();
          pair.assertNothingNew(...pair.blobArgs);
          const full = pair.syncedBlobs('--full');
          assert.deepEqual([full.json.blobs.copied, full.json.blobs.found, full.json.blobs.count], [0, 5, 5]);
        },
        { layout },
      ));
  });
}

describe('a copy of a blob', () => {
  it('has the mode and the time of the original; its directories have the mode of the blob directory', () =>
    withBlobPair((pair) => {
      chmodSync(pair.slaveBlobs, 0o750);
      const ids = pair.commitBlobs('one', 'two', 'three', 'four');
      const modes = [0o444, 0o640, 0o600, 0o4777];
      const times = [0, 1, 1_234_567_890.123456, 1_799_999_999.999999];
      for (const [n, id] of ids.entries()) {
        chmodSync(pair.onMaster(id), modes[n]!);
        utimesSync(pair.onMaster(id), 0, times[n]!);
      }
      // A strict umask must not matter.
      const through = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];
      assertEnd(pair.syncBlobsWith({ through }), { exit: 0 });
      for (const [n, id] of ids.entries()) {
        const [ours, theirs] = [lstatSync(pair.onSlave(id)), lstatSync(pair.onMaster(id))];
        // Set-id bits, and writing by others, are not copied.
        assert.equal(ours.mode & 0o7777, modes[n]! & 0o775, `mode of blob ${n}`);
        assert.ok(Math.abs(ours.mtimeMs - theirs.mtimeMs) < 0.002, `time of blob ${n}: ${ours.mtimeMs}`);
      }
      for (const name of readdirSync(pair.slaveBlobs, { recursive: true, encoding: 'utf8' })) {
        const { mode } = lstatSync(join(pair.slaveBlobs, name));
        if (!name.endsWith('.blob') && !name.endsWith('.layout')) assert.equal(mode & 0o7777, 0o750, name);
      }
      assert.equal(lstatSync(join(pair.slaveBlobs, '.layout')).mode & 0o7777, 0o644);
    }));

  it('has the owner of the original, its directories that of the blob directory', { skip: needsRoot ?? false }, () =>
    withBlobPair((pair) => {
      const [one, other, nobodys] = pair.commitBlobs('one', 'other', 'of a user that the master does not know') as [
        ...{ oid: bigint; tid: bigint }[],
      ];
      chownSync(pair.onMaster(one!), 1234, 5678);
      chownSync(pair.onMaster(other!), 4321, 0);
      chownSync(pair.onMaster(nobodys!), NOBODY, NOBODY);
      chownSync(pair.slaveBlobs, 77, 88);
      pair.syncedBlobs();
      const ownerOf = (path: string): [number, number] => {
        const { uid, gid } = lstatSync(path);
        return [uid, gid];
      };
      assert.deepEqual(ownerOf(pair.onSlave(one!)), [1234, 5678]);
      assert.deepEqual(ownerOf(pair.onSlave(other!)), [4321, 0]);
      assert.deepEqual(ownerOf(pair.onSlave(nobodys!)), [77, 88]);
      for (let path = dirname(pair.onSlave(one!)); path !== pair.directory; path = dirname(path))
        assert.deepEqual(ownerOf(path), [77, 88], path);
      assert.deepEqual(ownerOf(join(pair.slaveBlobs, '.layout')), [77, 88]);
    }),
  );
});

describe('a dry run', () => {
  it('writes nothing, and refuses what a run would refuse', () =>
    withBlobPair((pair) => {
      const before = () => listing(pair.directory);
      pair.commitBlobs('one');
      let files = before();
      assertEnd(pair.syncBlobs('--dry-run'), { exit: 0, action: 'full' });
      assert.deepEqual(before(), files);
      pair.syncedBlobs();
      pair.commitBlobs('two');
      files = before();
      assertEnd(pair.syncBlobs('--dry-run'), { exit: 0, action: 'append' });
      writeFileSync(join(pair.slaveBlobs, '.layout'), 'lawn');
      assertEnd(pair.syncBlobs('--dry-run'), { exit: 2, action: 'failed', reason: /different layouts/ });
      writeFileSync(join(pair.slaveBlobs, '.layout'), 'bushy');
      assert.deepEqual(withoutTimes(before()), withoutTimes(files));
    }));
});

const withoutTimes = (lines: readonly string[]) => lines.map((line) => line.replace(/ \d+$/, ''));

describe('a slave that has blobs', () => {
  it('is not synced without them, unless it is asked for', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      const expected = { exit: 2, action: 'failed', reason: /blobs of this slave are synced as well/ };
      const hint = /--blobs MASTER_DIR:SLAVE_DIR.*--no-blobs/;
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { ...expected, hint },
      );
      ids.push(...pair.commitBlobs('two'));
      assertEnd(
        pair.unchanged(() => pair.sync()),
        { ...expected, hint },
      );
      assertEnd(
        pair.unchanged(() => pair.sync('--full')),
        { ...expected, hint },
      );
      assertEnd(
        pair.unchanged(() => pair.sync('--no-blobs', '--dry-run')),
        { exit: 0, action: 'append' },
      );
      assertEnd(pair.sync('--no-blobs'), { exit: 0, action: 'append' });
      assert.equal(existsSync(pair.onSlave(ids[1]!)), false);
      assertEnd(pair.sync(), { exit: 0, action: 'none' });
      const again = pair.syncedBlobs();
      assert.deepEqual([again.json.blobs.copied, again.json.blobs.count], [1, 2]);
      pair.assertSameBlobs(ids);
      assertEnd(pair.sync(), { ...expected, hint });
    }));

  it('get their layout again where that file is lost', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      rmSync(join(pair.slaveBlobs, '.layout'));
      ids.push(...pair.commitBlobs('two'));
      assert.equal(pair.syncedBlobs().json.blobs.copied, 1);
      assert.equal(readFileSync(join(pair.slaveBlobs, '.layout'), 'utf8'), 'bushy');
      pair.assertSameBlobs(ids);
    }));
});
