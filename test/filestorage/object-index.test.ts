import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { type Entry, entriesOf, indexOf, randomEntries } from '../support/indexes.js';
import { Random } from '../support/random.js';

function key({ high, low }: { readonly high: number; readonly low: number }): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** What a plain map makes of the same entries, oids ascending. */
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
      const index = indexOf(entries);
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

  it('keeps objects apart while all groups grow side by side, up to full ones', () => {
    const groups = 700;
    const index = new ObjectIndex();
    const random = new Random(2);
    const order = Array.from({ length: 256 }, (_, n) => (n * 77 + 13) % 256);
    for (const suffix of order) {
      for (let group = 0; group < groups; group++) index.set(group % 3, group * 256 + suffix, 1 + group * 256 + suffix);
      const group = random.below(groups);
      assert.equal(index.get(group % 3, group * 256 + suffix), 1 + group * 256 + suffix);
    }
    assert.equal(index.size, groups * 256);
    for (let group = 0; group < groups; group++) {
      for (let suffix = 0; suffix < 256; suffix++) {
        const low = group * 256 + suffix;
        assert.equal(index.get(group % 3, low), 1 + low);
        assert.equal(index.get((group + 1) % 3, low), 0);
      }
    }
  });

  it('takes positions of 48 bits and refuses all others', () => {
    const index = new ObjectIndex();
    index.set(0, 7, 2 ** 48 - 1);
    assert.equal(index.get(0, 7), 2 ** 48 - 1);
    for (const position of [0, -1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => index.set(0, 7, position), RangeError);
    assert.equal(index.get(0, 7), 2 ** 48 - 1);
  });
});
