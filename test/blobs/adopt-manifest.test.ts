import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type AdoptedManifest, type AdoptManifestRequest, adoptManifest } from '../../src/blobs/adopt-manifest.js';
import type { BlobId } from '../../src/blobs/layout.js';
import type { Copy, Manifest } from '../../src/blobs/manifest.js';
import { claimedManifest, settleManifest } from '../../src/blobs/manifest-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import type { BlobsClaim } from '../../src/standby/blobs-claim.js';
import { readDatFile } from '../../src/standby/dat-file.js';
import { slavePaths } from '../../src/standby/paths.js';
import { hashOfBytes } from '../support/blob-hash.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';

/**
 * The slave was promoted: its directory has the list of the blobs that it has copied. The master, whose blobs those are, is to
 * become its slave.
 */
function claimOfSlave(pair: BlobPair): BlobsClaim {
  const file = readDatFile({ dat: pair.dat });
  assert.ok('dat' in file && file.dat.blobs);
  return file.dat.blobs;
}

function adopt(pair: BlobPair, more: Partial<AdoptManifestRequest> = {}): Promise<AdoptedManifest> {
  return adoptManifest({
    paths: slavePaths(pair.master, undefined),
    directory: pair.masterBlobs,
    theirs: { path: pair.manifest, claim: claimOfSlave(pair) },
    upTo: pair.site.lastTid,
    named: [],
    deadline: new ReadDeadline(10),
    ...more,
  });
}

async function adopted(pair: BlobPair, more?: Partial<AdoptManifestRequest>): Promise<Manifest> {
  const result = await adopt(pair, more);
  assert.ok('claim' in result, JSON.stringify(result));
  const paths = slavePaths(pair.master, undefined);
  assert.equal(existsSync(paths.blobs), false, 'nothing refers to it yet');
  settleManifest(paths, result.claim);
  const manifest = claimedManifest(paths.blobs, result.claim);
  assert.ok(manifest, 'the claim describes it');
  assert.equal(result.claim.directory, pair.masterBlobs);
  assert.deepEqual([result.claim.count, result.claim.missing], [manifest.count, manifest.missing]);
  return manifest;
}

const copiesOf = (manifest: Manifest, ids: readonly BlobId[]): (Copy | undefined)[] =>
  ids.map((id) => manifest.get(id));

describe('a list of blobs is adopted from the other side', () => {
  it('with the hashes of the contents', () =>
    withBlobPair(async (pair) => {
      const contents = ['one', 'two', 'three'];
      const ids = pair.commitBlobs(...contents);
      pair.syncedBlobs();
      const manifest = await adopted(pair);
      const expected = contents.map((text) => ({ length: text.length, hash: hashOfBytes(Buffer.from(text)) }));
      assert.deepEqual(copiesOf(manifest, ids), expected);
    }));

  it('up to a transaction', () =>
    withBlobPair(async (pair) => {
      const older = pair.commitBlobs('older');
      const newer = pair.commitBlobs('newer');
      pair.syncedBlobs();
      const manifest = await adopted(pair, { upTo: newer[0]!.tid - 1n });
      assert.deepEqual([manifest.ids.size, manifest.get(older[0]!) !== undefined], [1, true]);
    }));

  it('and those are missing whose file is not here, has another length, or was missing there', () =>
    withBlobPair(async (pair) => {
      const [gone, cut, never, good] = pair.commitBlobs('gone', 'cut off', 'never copied', 'good');
      rmSync(pair.onMaster(never!));
      assert.equal(pair.syncBlobs().exit, 4);
      rmSync(pair.onMaster(gone!));
      rmSync(pair.onMaster(cut!));
      writeFileSync(pair.onMaster(cut!), 'cut');
      const manifest = await adopted(pair);
      const [a, b, c, d] = copiesOf(manifest, [gone!, cut!, never!, good!]);
      assert.deepEqual([a, b, c], ['missing', 'missing', 'missing']);
      assert.notEqual(d, 'missing');
    }));

  it('with blobs that only the transactions here name, read from their files', () =>
    withBlobPair(async (pair) => {
      const listed = pair.commitBlobs('listed');
      pair.syncedBlobs();
      const [named, lost] = pair.commitBlobs('only named', 'lost');
      const tooNew = { oid: named!.oid, tid: named!.tid + 1n };
      rmSync(pair.onMaster(lost!));
      const manifest = await adopted(pair, { named: [named!, lost!, tooNew, ...listed] });
      const copy = { length: 10, hash: hashOfBytes(Buffer.from('only named')) };
      assert.deepEqual(copiesOf(manifest, [named!, lost!, tooNew]), [copy, 'missing', undefined]);
    }));

  it('and removes the lists of an earlier life, by which files could be removed', () =>
    withBlobPair(async (pair) => {
      pair.commitBlobs('one');
      pair.syncedBlobs();
      const { blobsBefore, blobsJournal, blobsScrub } = slavePaths(pair.master, undefined);
      const old = [blobsBefore, blobsJournal, blobsScrub];
      for (const path of old) writeFileSync(path, 'old');
      await adopted(pair);
      assert.deepEqual(
        old.filter((path) => existsSync(path)),
        [],
      );
    }));
});

describe('a list of blobs is not adopted, and nothing is written,', () => {
  const cases: Readonly<Record<string, (pair: BlobPair) => void>> = {
    'where it is not there': (pair) => rmSync(pair.manifest),
    'where it is cut short': (pair) => writeFileSync(pair.manifest, readFileSync(pair.manifest).subarray(0, 40)),
    'where one bit of it differs': (pair) => {
      const bytes = readFileSync(pair.manifest);
      bytes[17] = bytes[17]! ^ 1;
      writeFileSync(pair.manifest, bytes);
    },
    'where this side has no blob at all': (pair) => {
      rmSync(pair.masterBlobs, { recursive: true });
      mkdirSync(pair.masterBlobs);
    },
  };
  for (const [name, spoil] of Object.entries(cases))
    it(name, () =>
      withBlobPair(async (pair) => {
        pair.commitBlobs('one', 'two');
        pair.syncedBlobs();
        const claim = claimOfSlave(pair);
        spoil(pair);
        const result = await adopt(pair, { theirs: { path: pair.manifest, claim } });
        assert.ok('problem' in result && result.problem.length > 0, JSON.stringify(result));
        assert.equal(existsSync(slavePaths(pair.master, undefined).freshBlobs), false);
      }),
    );
});
