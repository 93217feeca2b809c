import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobId, pathOf } from '../../src/blobs/layout.js';
import { decodeManifest } from '../../src/blobs/manifest.js';
import { hashOfBytes } from '../support/blob-hash.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';
import { needsMounts } from '../support/powers.js';

/** The manifest has the length and the hash of each of the slave's files. */
function assertListed(pair: BlobPair, ids: readonly BlobId[]): void {
  const { manifest } = decodeManifest(readFileSync(pair.manifest));
  for (const id of ids) {
    const bytes = readFileSync(pair.onSlave(id));
    assert.deepEqual(manifest.get(id), { length: bytes.length, hash: hashOfBytes(bytes) });
  }
}

describe('--blobs-as link', () => {
  it('gives the slave the same files; they stay when the master removes its own', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one', 'x'.repeat(300_000), '');
      const { json } = pair.syncedBlobs('--blobs-as', 'link');
      assert.deepEqual([json.blobs.linked, json.blobs.copied, json.blobs.count], [3, 0, 3]);
      for (const id of ids) {
        const [ours, theirs] = [lstatSync(pair.onSlave(id)), lstatSync(pair.onMaster(id))];
        assert.deepEqual([ours.ino, ours.mode, ours.mtimeMs], [theirs.ino, theirs.mode, theirs.mtimeMs]);
      }
      assertListed(pair, ids);
      rmSync(pair.onMaster(ids[0]!));
      assert.equal(readFileSync(pair.onSlave(ids[0]!), 'utf8'), 'one');
      pair.assertNothingNew(...pair.blobArgs, '--blobs-as', 'link');
    }));
});

/** Two file systems: /dev/shm, where there is one, is not that of the temporary directory. */
function otherFileSystem(): string | undefined {
  const other = '/dev/shm';
  if (!existsSync(other)) return 'needs a second file system at /dev/shm';
  return statSync(other).dev === statSync(process.env['TMPDIR'] ?? '/tmp').dev ? 'needs /dev/shm apart' : undefined;
}

describe('link and reflink between two file systems', { skip: otherFileSystem() ?? false }, () => {
  for (const way of ['link', 'reflink'])
    it(`--blobs-as ${way} is an error that says why, and nothing is half done`, () =>
      withBlobPair((pair) => {
        const slave = mkdtempSync('/dev/shm/syncpozo-test-');
        try {
          const [id] = pair.commitBlobs('one');
          const run = pair.sync('--quiet', '--blobs', `${pair.masterBlobs}:${slave}`, '--blobs-as', way);
          assertRefused(run, way);
          assert.deepEqual(readdirSync(dirname(join(slave, pathOf(id!, 'bushy')))), []);
          assert.equal(existsSync(pair.slaveFile), false);
          assertEnd(pair.sync('--quiet', '--blobs', `${pair.masterBlobs}:${slave}`), { exit: 0 });
          assert.equal(readFileSync(join(slave, pathOf(id!, 'bushy')), 'utf8'), 'one');
        } finally {
          rmSync(slave, { recursive: true });
        }
      }));
});

function assertRefused(run: ReturnType<BlobPair['sync']>, way: string): void {
  assertEnd(run, {
    exit: 2,
    action: 'failed',
    reason: new RegExp(`^${way} .*master-blobs.* to `),
    hint: /--blobs-as copy/,
  });
}

/** Commands that make a file system with reflinks in a file, if this machine has one of them. */
const MAKERS: readonly (readonly [string, readonly string[]])[] = [
  ['mkfs.btrfs', ['-q']],
  ['mkfs.xfs', ['-q', '-m', 'reflink=1']],
];
const IMAGE_BYTES = 350 << 20;
const maker = MAKERS.find(([program]) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined);

describe('--blobs-as reflink', () => {
  it('on a file system without reflinks is an error that says so; no copy is made in its place', (test) =>
    withBlobPair((pair) => {
      const [id] = pair.commitBlobs('one');
      if (hasReflinks(pair.onMaster(id!), join(pair.directory, 'clone')))
        return test.skip('the temporary directory is on a file system with reflinks');
      assertRefused(pair.syncBlobs('--blobs-as', 'reflink'), 'reflink');
      assert.deepEqual(readdirSync(dirname(pair.onSlave(id!))), []);
      assert.equal(existsSync(pair.slaveFile), false);
      pair.syncedBlobs();
      pair.assertSameBlobs([id!]);
    }));

  const skip = needsMounts ?? (maker ? undefined : 'needs mkfs.btrfs or mkfs.xfs');
  it('shares the bytes on a file system with reflinks', { skip: skip ?? false }, (test) =>
    withBlobPair((pair) => {
      const [program, args] = maker!;
      const image = join(pair.directory, 'image');
      execFileSync('touch', [image]);
      truncateSync(image, IMAGE_BYTES);
      execFileSync(program, [...args, image]);
      const mount = join(pair.directory, 'mount');
      mkdirSync(mount);
      const ids = pair.commitBlobs('x'.repeat(5_000_000), 'small', '');
      const probe = spawnSync('unshare', ['-m', 'mount', '-o', 'loop', image, mount], { encoding: 'utf8' });
      if (probe.status !== 0) return test.skip(`needs the right to mount an image: ${probe.stderr.trim()}`);
      // The blob directories are on it for the run alone, which has its own mounts.
      const used = join(pair.directory, 'used');
      const script = `set -e
        mount -o loop ${image} ${mount}
        cp -a ${pair.masterBlobs} ${mount}/m; mkdir ${mount}/s; sync -f ${mount}
        mount --bind ${mount}/m ${pair.masterBlobs}; mount --bind ${mount}/s ${pair.slaveBlobs}
        df -B1 --output=used ${mount} > ${used}
        status=0; "$@" || status=$?
        sync -f ${mount}; df -B1 --output=used ${mount} >> ${used}
        cp -a ${pair.slaveBlobs} ${pair.directory}/copy
        exit $status`;
      const run = pair.syncBlobsWith({ through: ['unshare', '-m', 'sh', '-c', script, 'sh'] }, '--blobs-as', 'reflink');
      assertEnd(run, { exit: 0 });
      assert.deepEqual([run.json.blobs.linked, run.json.blobs.copied], [3, 0]);
      const [before, after] = (readFileSync(used, 'utf8').match(/\d+/g) ?? []).map(Number);
      assert.ok(after! - before! < 2_000_000, `5,000,000 bytes were shared: ${before}, then ${after}`);
      for (const id of ids) {
        const ours = join(pair.directory, 'copy', pathOf(id, 'bushy'));
        assert.ok(readFileSync(ours).equals(readFileSync(pair.onMaster(id))));
        const [copied, theirs] = [lstatSync(ours), lstatSync(pair.onMaster(id))];
        assert.deepEqual([copied.mode, copied.uid], [theirs.mode, theirs.uid]);
        assert.ok(Math.abs(copied.mtimeMs - theirs.mtimeMs) < 0.002);
      }
    }),
  );
});

function hasReflinks(from: string, to: string): boolean {
  return spawnSync('cp', ['--reflink=always', from, to], { stdio: 'ignore' }).status === 0;
}
