import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { Window } from '../../src/pipeline/window.js';
import { readIndexFile } from '../../src/standby/index-file.js';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import { coverMore, fitIndex, type IndexLimits } from '../../src/takeover/promotion-index.js';
import { dataFs, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';

const { bytes } = dataFs(plain(12, 300));
const window = new Window(1 << 16);
const ALWAYS: IndexLimits = { from: 0, upTo: 1 << 20, indexBytes: 1 << 20 };

function withSlave(use: (paths: SlavePaths) => void | Promise<void>): Promise<void> {
  return withTempDir((directory) => {
    writeFileSync(join(directory, 'Data.fs'), bytes);
    return use(slavePaths(directory, 'Data.fs'));
  });
}

function leaveIndex({ index }: SlavePaths, end: number): void {
  writeFileSync(index, Buffer.concat([...encodeIndex(new ObjectIndex(), end)]));
}

describe('the index at a takeover', () => {
  it('is built up to the end of the file when that is faster than the server', () =>
    withSlave(async (paths) => {
      assert.deepEqual(await coverMore(paths, bytes.length, 0, window, [], ALWAYS), { covered: bytes.length });
      const made = readIndexFile(paths.index);
      assert.ok('index' in made);
      assert.equal(made.end, bytes.length);
      assert.ok(made.index.size > 0);
    }));

  it('is left to the server when little is uncovered, or too much, or the index is large', () =>
    withSlave(async (paths) => {
      const tooDear: readonly Partial<IndexLimits>[] = [{ from: bytes.length }, { upTo: bytes.length - 1 }];
      for (const more of tooDear) {
        assert.deepEqual(await coverMore(paths, bytes.length, 0, window, [], { ...ALWAYS, ...more }), { covered: 0 });
        assert.ok(!existsSync(paths.index));
      }
      leaveIndex(paths, 4);
      const before = readFileSync(paths.index);
      const small = { ...ALWAYS, indexBytes: before.length - 1 };
      assert.deepEqual(await coverMore(paths, bytes.length, 4, window, [], small), { covered: 4 });
      assert.deepEqual(readFileSync(paths.index), before);
    }));

  it('is not written for a file that does not end at the promoted end', () =>
    withSlave(async (paths) => {
      writeFileSync(paths.data, bytes.subarray(0, bytes.length - 3));
      assert.deepEqual(await coverMore(paths, bytes.length, 0, window, [], ALWAYS), { covered: 0 });
      assert.ok(!existsSync(paths.index));
    }));

  it('is removed only if it covers more than the file', () =>
    withSlave((paths) => {
      assert.equal(fitIndex(paths, bytes.length), 0);
      leaveIndex(paths, bytes.length);
      assert.equal(fitIndex(paths, bytes.length), bytes.length);
      assert.equal(fitIndex(paths, bytes.length - 1), 0);
      assert.ok(!existsSync(paths.index));
    }));
});
