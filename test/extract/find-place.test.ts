import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { restore } from '../../src/extract/restore.js';
import { isPlace, StateFile } from '../../src/extract/state-file.js';
import { AdaptiveSource } from '../../src/pipeline/adaptive-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { altered, type Draft, dataFs, nthTid } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';

const SEED = 7;
const MIB = 1 << 20;

async function withFile(bytes: Uint8Array, use: (file: StateFile) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, bytes);
    const file = await StateFile.open(path, new Window(MIB), new ReadDeadline(20));
    assert.ok(typeof file !== 'string', String(file));
    try {
      await use(file);
    } finally {
      file.close();
    }
  });
}

async function positionOf(file: StateFile, until: bigint): Promise<number> {
  const found = await file.placeOf(until);
  assert.ok(
    isPlace(found),
    JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  );
  return found.position;
}

/** Transactions up to 3 MiB, 80 MiB in all: more than is read backwards. */
function large(random: Random): Draft[] {
  return Array.from({ length: 300 }, (_, n) => ({
    records: [{ data: new Uint8Array(random.below(random.below(20) === 0 ? 3 * MIB : 400_000)).fill(65 + (n % 20)) }],
  }));
}

/** Transactions of a Data.fs whose records name the positions that they have as data of another. */
function embedded(base: number): Uint8Array {
  const drafts = Array.from({ length: 60 }, (_, n) => ({
    tid: nthTid(n % 2 === 0 ? n : 1000 + n),
    records: [{ data: new Uint8Array(20_000).fill(66) }],
  }));
  return dataFs(drafts, base).bytes;
}

/** Of the same length as the data that it replaces. */
function padded(make: (base: number) => Uint8Array, base: number): Uint8Array {
  const bytes = new Uint8Array(1_300_000).fill(67);
  bytes.set(make(base).subarray(4), 4);
  return bytes;
}

describe('the place of a moment', () => {
  it('is behind the last transaction that is not newer, wherever it is', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const random = new Random(SEED);
    const { bytes, places } = dataFs(large(random));
    await withFile(bytes, async (file) => {
      for (const n of [0, 1, 2, 298, 299, ...Array.from({ length: 9 }, () => random.below(300))]) {
        const { tid, end, position } = places[n]!;
        assert.equal(await positionOf(file, tid), end, `of transaction ${n}`);
        assert.equal(await positionOf(file, tid + 1n), end, `behind transaction ${n}`);
        assert.equal(await positionOf(file, tid - 1n), position, `before transaction ${n}`);
      }
    });
  });

  it('is proved by the copy, where data look like transactions of other times', async () => {
    const data = (n: number): Uint8Array => new Uint8Array(1_300_000).fill(65 + (n % 20));
    const plain = Array.from({ length: 70 }, (_, n): Draft => ({ records: [{ data: data(n) }] }));
    const before = dataFs(plain).places;
    const trapped = plain.map((draft, n) =>
      n % 2 === 0 ? draft : { records: [{ data: padded(embedded, before[n]!.records[0]! + 42) }] },
    );
    const { bytes, places } = dataFs(trapped);
    await withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      writeFileSync(path, bytes);
      const [window, deadline] = [new Window(MIB), new ReadDeadline(20)];
      const source = new AdaptiveSource(window, 0, deadline, { chunkBytes: 32 * MIB, onProgress: () => {} });
      for (const n of [4, 9]) {
        const { tid, end } = places[n]!;
        const dest = join(directory, `${n}.fs`);
        const moment = { tid, time: null };
        const common = { path, dest, moment, dryRun: false, blobs: undefined, onFiles: () => {}, source, deadline };
        const restored = await restore(common);
        assert.equal(restored.kind, 'done');
        assert.deepEqual(readFileSync(dest), Buffer.from(bytes.subarray(0, end)), `of transaction ${n}`);
      }
    });
  });

  it('is behind the last one in the file where tids do not rise', async () => {
    const tids = [10, 20, 30, 15, 25, 40];
    const { bytes, places } = dataFs(tids.map((each) => ({ tid: nthTid(each), records: [{}] })));
    await withFile(bytes, async (file) => {
      assert.equal(await positionOf(file, nthTid(18)), places[3]!.end);
      assert.equal(await positionOf(file, nthTid(29)), places[4]!.end);
    });
  });

  it('is before what is in flight, and before what breaks off', async () => {
    const drafts = [{ records: [{}] }, { records: [{}] }, { status: 'c', records: [{}] }];
    const { bytes, places } = dataFs(drafts);
    for (const file of [bytes, bytes.subarray(0, bytes.length - 5), bytes.subarray(0, places[1]!.end + 10)])
      await withFile(file, async (opened) => {
        assert.equal(await positionOf(opened, nthTid(9)), places[1]!.end);
      });
  });

  it('is not taken for the end of the file where damage hides the rest', async () => {
    const { bytes, places } = dataFs(Array.from({ length: 9 }, () => ({ records: [{}] })));
    const damaged = altered(bytes, (view) => view.setUint8(places[4]!.position + 8 + 3, 1));
    const cut = damaged.subarray(0, bytes.length - 3);
    await withFile(cut, async (file) => {
      const found = await file.placeOf(nthTid(20));
      assert.ok(!isPlace(found));
      assert.equal(found.position, places[4]!.position);
      assert.equal(await positionOf(file, nthTid(2)), places[2]!.end);
    });
  });
});
