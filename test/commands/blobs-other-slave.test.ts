import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd, type Run, type RunOptions, syncpozo } from '../support/cli.js';
import { needsMounts, withMounts } from '../support/powers.js';

/** A sync of another storage into the slave's directory, with the same blob directories. */
function syncOther(pair: BlobPair, blobs = pair.slaveBlobs, how: RunOptions = {}): Run {
  const other = join(pair.directory, 'other-master');
  mkdirSync(other, { recursive: true });
  copyFileSync(pair.masterFile, join(other, 'Other.fs'));
  const sides = [join(other, 'Other.fs'), join(pair.slave, 'Other.fs')];
  const options = ['--quiet', '--json', '--status-file', pair.statusFile, '--blobs', `${pair.masterBlobs}:${blobs}`];
  return syncpozo(['sync', ...sides, ...options], how);
}

describe('two slaves in one directory', () => {
  it('get no common blob directory: the second one is refused, and nothing is written', () =>
    withBlobPair((pair) => {
      pair.commitBlobs('one');
      pair.syncedBlobs();
      const run = pair.unchanged(() => syncOther(pair));
      assertEnd(run, { exit: 2, reason: /slave-blobs has the blobs of another slave, .*Data\.fs/, hint: /of its own/ });
      // As a pack of ZODB does it, on a side that was promoted.
      copyFileSync(pair.slaveFile, `${pair.slaveFile}.pack`);
      renameSync(`${pair.slaveFile}.pack`, pair.slaveFile);
      assertEnd(syncOther(pair), { exit: 2, reason: /slave-blobs has the blobs of another slave/ });
      const apart = join(pair.directory, 'apart');
      mkdirSync(apart);
      assertEnd(syncOther(pair, apart), { exit: 0 });
      assertEnd(pair.syncBlobs(), { exit: 0 });
    }));

  it('nor do they where it is mounted at a second place', { skip: needsMounts }, () =>
    withBlobPair((pair) => {
      pair.commitBlobs('one');
      pair.syncedBlobs();
      const mounted = join(pair.directory, 'mounted');
      mkdirSync(mounted);
      const through = withMounts(`mount --bind ${pair.slaveBlobs} ${mounted}`);
      const run = pair.unchanged(() => syncOther(pair, mounted, { through }));
      assertEnd(run, { exit: 2, reason: /mounted has the blobs of another slave, .*Data\.fs/ });
    }),
  );

  it('that have one already keep what a pack of the one master removes there', () =>
    withBlobPair((pair) => {
      const [old] = pair.commitBlobs('one');
      pair.syncedBlobs();
      renameSync(pair.dat, `${pair.dat}.away`);
      assertEnd(syncOther(pair), { exit: 0 });
      renameSync(`${pair.dat}.away`, pair.dat);
      pair.edit(old!, 'another one');
      pair.syncedBlobs();
      assert.ok(pair.site.pack());
      rmSync(pair.onMaster(old!));
      const packed = pair.syncBlobs();
      assertEnd(packed, { exit: 0, action: 'rebuild' });
      assert.equal(packed.json.blobs.removed, 0);
      assert.ok(existsSync(pair.onSlave(old!)));
      // The control: without the other one it goes.
      rmSync(join(pair.slave, 'Other.fs.dat'));
      assert.equal(pair.syncedBlobs().json.blobs.removed, 1);
      assert.equal(existsSync(pair.onSlave(old!)), false);
    }));
});
