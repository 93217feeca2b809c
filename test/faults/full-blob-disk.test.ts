import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobId, pathOf } from '../../src/blobs/layout.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd, syncpozo } from '../support/cli.js';
import { needsMounts } from '../support/powers.js';
import { SmallDisk } from '../support/small-disk.js';
import { committed } from './scene.js';

const ENOUGH = 8 << 20;
/** Several windows, so that the disk is full in the middle of a blob. */
const LARGE = 1_000_000;
const ROOMS = [0, 4096, LARGE / 2, LARGE + LARGE / 2, 4 * LARGE];

/** The files of the directory, except the layout. */
function filesIn(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  return names.filter((each) => each.isFile() && each.name !== '.layout').map(({ name }) => name);
}

function commitTwo(pair: BlobPair, n: number): BlobId[] {
  pair.commit(`page ${n}`);
  return pair.commitBlobs(Buffer.alloc(LARGE, `one of ${n} `), Buffer.alloc(LARGE, `two of ${n} `));
}

describe('a small file system for the blobs', { skip: needsMounts ?? false }, () => {
  it('of any free space: an append succeeds with its blobs, or is a fault that leaves the slave unchanged', (t) =>
    withBlobPair(async (pair) => {
      const disk = await SmallDisk.make(join(pair.directory, 'disk'), ENOUGH);
      const args = pair.syncArgs('--quiet', '--blobs', `${pair.masterBlobs}:${disk.mount}`);
      const ends = { done: 0, failed: 0 };
      const all = pair.commitBlobs('the first one');
      const assertBlobs = () => {
        for (const id of all) {
          const path = pathOf(id, pair.layout);
          assert.ok(readFileSync(join(disk.view, path)).equals(readFileSync(join(pair.masterBlobs, path))), path);
        }
        assert.equal(filesIn(disk.view).length, all.length, 'nothing else is left');
      };
      try {
        assertEnd(syncpozo(args, disk), { exit: 0 });
        for (const [n, room] of ROOMS.entries()) {
          const before = readFileSync(pair.slaveFile);
          const blobs = commitTwo(pair, n);
          disk.leave(room);
          const run = syncpozo(args, disk);
          if (run.exit === 0) ends.done++;
          else {
            ends.failed++;
            assertEnd(run, { exit: 1, action: 'failed', reason: /disk\/.*\(ENOSPC\)$/, hint: /make room/ });
            assert.ok(committed(pair.slaveFile).equals(before), 'the slave shows what it showed');
            assert.ok(!filesIn(disk.view).some((name) => name.endsWith('-tmp')), 'no part of a blob is left');
          }
          all.push(...blobs);
          disk.leave(ENOUGH);
          assertEnd(syncpozo(args, disk), { exit: 0 });
          pair.assertInStep();
          assertBlobs();
          assertEnd(syncpozo(args, disk), { exit: 0, action: 'none' });
        }
      } finally {
        await disk.remove();
      }
      t.diagnostic(`${ends.failed} runs without enough room, ${ends.done} with`);
      assert.ok(ends.failed > 0 && ends.done > 0, 'both were met');
    }));
});
