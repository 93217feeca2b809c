import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { type Entry, entriesOf, indexOf, randomEntries } from '../support/indexes.js';
import { Random } from '../support/random.js';

function key({ high, low }: { readonly high: number; readonly low: number }): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The result of a plain map for the same entries, oids ascending. */
function expected(entries: readonly Entry[]): Entry[] {
  const newest = new Map(entries.map((entry) => [key(entry), entry]));
  return [...newest.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function shuffled(entries: readonly Entry[], random: Random): Entry[] {
  return entries
    .map((entry) => ({ entry, rank: random.below(2 ** 30) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function bytesOfArrays(): number {
  // The second collection frees what the first one finds.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

type Lay = (n: number) => readonly [high: number, low: number];

/** The number of objects in an index, and its bytes, after this many reports. */
function weighed(lay: Lay, many: number): { readonly size: number; readonly bytes: number } {
  const before = bytesOfArrays();
  const index = new ObjectIndex();
  for (let n = 0; n < many; n++) index.set(...lay(n), n + 1);
  const bytes = bytesOfArrays() - before;
  return { size: index.size, bytes };
}

describe('an object index', () => {
  it('is empty at first', () => {
    const index = new ObjectIndex();
    assert.equal(index.size, 0);
    assert.equal(index.get(0, 0), 0);
    assert.deepEqual(entriesOf(index), []);
  });

  it('holds what a map holds, whatever the oids and their order', () => {
    const random = new Random(1);
    for (let round = 0; round < 60; round++) {
      const entries = shuffled(randomEntries(random, 2 ** 48), random);
      const index = indexOf(entries, random.pick([undefined, 0, 50_000]));
      const due = expected(entries);
      assert.equal(index.size, due.length);
      assert.deepEqual(entriesOf(index), due);
      for (const { high, low, position } of due) assert.equal(index.get(high, low), position);
      for (const { high, low } of due.slice(0, 100)) {
        const beside = { high, low: (low ^ 1) >>> 0 };
        const there = due.find((entry) => key(entry) === key(beside));
        assert.equal(index.get(beside.high, beside.low), there?.position ?? 0);
      }
    }
  });

  it('keeps objects apart while all groups grow side by side, even when they fill up', () => {
    const groups = 700;
    for (const bytesInAdvance of [undefined, 0, 200_000]) {
      const index = new ObjectIndex(bytesInAdvance);
      const random = new Random(2);
      const order = Array.from({ length: 256 }, (_, n) => (n * 77 + 13) % 256);
      for (const suffix of order) {
        for (let group = 0; group < groups; group++)
          assert.equal(index.set(group % 3, group * 256 + suffix, 1 + group * 256 + suffix), 0);
        const group = random.below(groups);
        assert.equal(index.get(group % 3, group * 256 + suffix), 1 + group * 256 + suffix);
      }
      assert.equal(index.size, groups * 256);
      for (let group = 0; group < groups; group++) {
        for (let suffix = 0; suffix < 256; suffix++) {
          const low = group * 256 + suffix;
          assert.equal(index.get(group % 3, low), 1 + low);
          assert.equal(index.get((group + 1) % 3, low), 0);
          assert.equal(index.set(group % 3, low, 2 ** 40 + low), 1 + low);
        }
      }
      assert.deepEqual([index.size, entriesOf(index).at(-1)?.position], [groups * 256, 2 ** 40 + 698 * 256 + 255]);
    }
  });

  it('takes no more memory than it states, however the oids are distributed', () => {
    const many = 1_000_000;
    const random = new Random(3);
    const lays: readonly [bytesAnObject: number, lay: Lay][] = [
      [7, (n) => [0, n]],
      [10, (n) => [0, Math.floor(n / 0.6)]],
      [11, (n) => [0, 2 * n]],
      [9, (n) => [0, 4 * n]],
      [11, (n) => [0, 16 * n]],
      [41, () => [random.below(2 ** 32), random.below(2 ** 32)]],
      [10, (n) => [0, (n * 65_537) % many]],
    ];
    for (const [bytesAnObject, lay] of lays) {
      const { size, bytes } = weighed(lay, many);
      const allowed = bytesAnObject * size + (5 << 20);
      assert.ok(bytes <= allowed, `${lay}: ${bytes} bytes for ${size} objects, ${allowed} are allowed`);
    }
  });

  it('accepts positions of 48 bits and refuses all others', () => {
    const index = new ObjectIndex();
    index.set(0, 7, 2 ** 48 - 1);
    assert.equal(index.get(0, 7), 2 ** 48 - 1);
    for (const position of [0, -1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => index.set(0, 7, position), RangeError);
    assert.equal(index.get(0, 7), 2 ** 48 - 1);
  });
});
