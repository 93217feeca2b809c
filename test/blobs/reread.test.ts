import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobId, pathOf } from '../../src/blobs/layout.js';
import { NO_SEAL, sealed } from '../../src/blobs/manifest.js';
import { hashOf } from '../../src/blobs/manifest-file.js';
import { REREAD_START, type RereadPlace, reread } from '../../src/blobs/reread.js';
import { SlaveTree } from '../../src/blobs/slave-tree.js';
import { Window } from '../../src/pipeline/window.js';
import { hashOfBytes } from '../support/blob-hash.js';
import { withTempDir } from '../support/site.js';

const MIB = 1 << 20;

interface Scene {
  readonly ids: readonly BlobId[];
  readonly pathOf: (id: BlobId) => string;
  readonly next: (from: RereadPlace, amount: number) => ReturnType<typeof reread>;
}

/** A slave's tree of these blobs, and its manifest. */
async function withBlobs(contents: readonly string[], use: (scene: Scene) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const tree = join(directory, 'blobs');
    const ids = contents.map((_, n) => ({ oid: BigInt(n), tid: 0x0405_e700_1111_1111n }));
    const at = (id: BlobId) => join(tree, pathOf(id, 'lawn'));
    mkdirSync(tree);
    writeFileSync(join(tree, '.layout'), 'lawn');
    const entries = ids.map((id, n) => {
      mkdirSync(dirname(at(id)));
      writeFileSync(at(id), contents[n]!);
      const bytes = Buffer.from(contents[n]!);
      return [id, { length: bytes.length, hash: hashOfBytes(bytes) }] as const;
    });
    const { bytes, seal } = sealed(entries, NO_SEAL);
    const manifest = join(directory, 'manifest');
    writeFileSync(manifest, bytes);
    const sizes = { count: ids.length, bytes: 0, missing: 0, directory: tree };
    const claim = { length: bytes.length, hash: hashOf(seal), ...sizes };
    const next: Scene['next'] = (from, amount) =>
      reread(manifest, claim, SlaveTree.open(tree), from, amount, new Window(1 << 16));
    await use({ ids, pathOf: at, next });
  });
}

describe('blobs that are read again', () => {
  it('are read in turn, a large one in several runs, and all once', () =>
    withBlobs(['a'.repeat(100_000), '', 'b', 'c'.repeat(300_000)], async ({ next }) => {
      let [bytes, runs] = [0, 0];
      for (let place: RereadPlace | undefined = REREAD_START; place; runs++) {
        const read: Awaited<ReturnType<typeof reread>> = await next(place, 70_000);
        assert.deepEqual(read.bad, []);
        assert.ok(read.bytes <= 70_000);
        bytes += read.bytes;
        place = read.next;
      }
      assert.equal(bytes, 400_001);
      assert.ok(runs >= 6 && runs <= 9, `${runs} runs`);
    }));

  it('are not many in one run, however small they are', () =>
    withBlobs(Array<string>(1500).fill('small'), async ({ next }) => {
      const first = await next(REREAD_START, 16 * MIB);
      assert.equal(first.next?.item, 1024);
      assert.equal(first.bytes, 5 * 1024);
      const second = await next(first.next!, 16 * MIB);
      assert.deepEqual([second.next, second.bytes], [undefined, 5 * (1500 - 1024)]);
      assert.equal((await next(REREAD_START, Number.POSITIVE_INFINITY)).bytes, 5 * 1500);
    }));

  it('are bad where they are missing, longer, shorter, or have other bytes', () =>
    withBlobs(['right', 'missing', 'longer', 'shorter', 'other', 'right'], async ({ ids, pathOf: at, next }) => {
      rmSync(at(ids[1]!));
      writeFileSync(at(ids[2]!), 'longer now');
      writeFileSync(at(ids[3]!), 'short');
      writeFileSync(at(ids[4]!), 'OTHER');
      chmodSync(at(ids[5]!), 0o400);
      const { bad } = await next(REREAD_START, Number.POSITIVE_INFINITY);
      assert.deepEqual(
        bad.map(([{ oid }]) => oid),
        [1n, 2n, 3n, 4n],
      );
    }));
});
