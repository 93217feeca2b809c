import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeManifest } from '../../src/blobs/manifest.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';

const TIB = 2 ** 40;

/** What can be in the place of Data.fs.blobs; `outside` must stay as it is. */
const SPOILED: readonly (readonly [string, (pair: BlobPair, outside: string) => void])[] = [
  ['missing', ({ manifest }) => rmSync(manifest)],
  ['empty', ({ manifest }) => truncateSync(manifest, 0)],
  ['cut short', ({ manifest }) => truncateSync(manifest, 40)],
  ['of garbage', ({ manifest }) => writeFileSync(manifest, 'garbage'.repeat(100))],
  ['of ones', ({ manifest }) => writeFileSync(manifest, new Uint8Array(100_000).fill(0xff))],
  [
    'a link to the right one',
    ({ manifest }, outside) => {
      copyFileSync(manifest, outside);
      rmSync(manifest);
      symlinkSync(outside, manifest);
    },
  ],
  [
    'a link to nothing',
    ({ manifest, directory }) => {
      rmSync(manifest);
      symlinkSync(join(directory, 'nothing'), manifest);
    },
  ],
  [
    'without a right bit',
    ({ manifest }) => {
      const bytes = readFileSync(manifest);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(manifest, bytes);
    },
  ],
  [
    'of a terabyte',
    ({ manifest }) => {
      truncateSync(manifest, 0);
      truncateSync(manifest, TIB);
    },
  ],
];

describe('a manifest', () => {
  it('that is not the one of the claim is replaced, and the blobs are compared', (test) =>
    withBlobPair(async (pair) => {
      const ids = pair.commitBlobs('one', 'two');
      const outside = join(pair.directory, 'outside');
      writeFileSync(outside, '');
      pair.syncedBlobs();
      for (const [name, spoil] of SPOILED)
        await test.test(name, () => {
          spoil(pair, outside);
          const before = readFileSync(outside);
          ids.push(...pair.commitBlobs('more'));
          const run = pair.syncedBlobs();
          assert.equal(run.json.blobs.count, ids.length);
          assert.deepEqual(readFileSync(outside), before);
          assert.ok(lstatSync(pair.manifest).isFile());
          const { manifest } = decodeManifest(readFileSync(pair.manifest));
          for (const id of ids) assert.equal(typeof manifest.get(id), 'object');
          pair.assertSameBlobs(ids);
          pair.assertNothingNew(...pair.blobArgs);
        });
    }));

  it('that is a directory is an error that names it; after its removal all is right', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      rmSync(pair.manifest);
      mkdirSync(pair.manifest);
      for (let run = 0; run < 2; run++) {
        ids.push(...pair.commitBlobs('more'));
        assertEnd(pair.syncBlobs(), {
          exit: 2,
          action: 'failed',
          reason: /Data\.fs\.blobs is a directory$/,
          hint: /remove it/,
        });
      }
      rmSync(pair.manifest, { recursive: true });
      assert.equal(pair.syncedBlobs().json.blobs.count, ids.length);
      pair.assertSameBlobs(ids);
      pair.assertInStep();
    }));

  it('of another blob directory proves nothing about this one', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one', 'two');
      pair.syncedBlobs();
      // A directory with files of the right length and time, and wrong bytes in one of them.
      const first = join(pair.directory, 'first');
      renameSync(pair.slaveBlobs, first);
      mkdirSync(pair.slaveBlobs);
      const wrong = join(pair.directory, 'wrong');
      renameSync(first, wrong);
      const path = pair.onSlave(ids[0]!).replace(pair.slaveBlobs, wrong);
      const { mtime } = lstatSync(path);
      chmodSync(path, 0o644);
      writeFileSync(path, 'ONE');
      utimesSync(path, mtime, mtime);
      for (const more of [[], ['--full']]) {
        const run = pair.sync('--quiet', '--blobs', `${pair.masterBlobs}:${wrong}`, ...more);
        assertEnd(run, { exit: 0 });
        assert.equal(run.json.blobs.count, 2);
        assert.equal(readFileSync(path, 'utf8'), 'one');
      }
    }));

  it('of another slave proves nothing about the files of this one', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one', 'two');
      pair.syncedBlobs();
      const others = readFileSync(pair.manifest);
      // It is synced without blobs, and then gets the manifest of another slave.
      assertEnd(pair.sync('--no-blobs', '--full'), { exit: 0 });
      writeFileSync(pair.manifest, others);
      const path = pair.onSlave(ids[0]!);
      chmodSync(path, 0o644);
      writeFileSync(path, 'ONE');
      const run = pair.syncedBlobs();
      assert.equal(run.json.blobs.count, 2);
      pair.assertSameBlobs(ids);
    }));
});
