import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlobId } from '../../src/blobs/layout.js';
import {
  type Copy,
  decodeManifest,
  encodeManifest,
  ITEM,
  Manifest,
  NO_SEAL,
  readSeal,
  type Seal,
  sealed,
} from '../../src/blobs/manifest.js';
import { concat } from '../support/data-fs.js';
import { Random } from '../support/random.js';

type Entry = readonly [BlobId, Copy];

const random = new Random(20_26);
const ONES = (1n << 64n) - 1n;

function anyNumber(): bigint {
  return new DataView(random.bytes(8).buffer).getBigUint64(0) >> BigInt(random.below(63));
}

function anyEntries(count: number): Entry[] {
  return Array.from({ length: count }, () => {
    const copy = random.below(5) === 0 ? ('missing' as const) : { length: random.below(2 ** 40), hash: anyNumber() };
    return [{ oid: anyNumber() & ~1n, tid: anyNumber() }, copy] as const;
  });
}

/** Batches, each with its seal, as appended one after another. Begins with the lengths at which a seal ends. */
function appended(batches: readonly (readonly Entry[])[]): { bytes: Uint8Array; ends: number[]; seal: Seal } {
  const pieces: Uint8Array[] = [];
  const ends = [0];
  let seal = NO_SEAL;
  for (const batch of batches) {
    const piece = sealed(batch, seal);
    pieces.push(piece.bytes);
    ends.push(ends.at(-1)! + piece.bytes.length);
    seal = piece.seal;
  }
  return { bytes: concat(...pieces), ends, seal };
}

function manifestOf(entries: readonly Entry[]): Manifest {
  const manifest = new Manifest();
  for (const [id, copy] of entries) manifest.set(id, copy);
  return manifest;
}

/** All that a manifest says, in the order in which it was added. */
function contents(manifest: Manifest) {
  const entries = [...manifest.ids].map((id, number) => [id.oid, id.tid, manifest.copyAt(number)]);
  return { entries, count: manifest.count, bytes: manifest.bytes, missing: manifest.missing };
}

function encoded(manifest: Manifest): { bytes: Uint8Array; seal: Seal | undefined } {
  let seal: Seal | undefined;
  const bytes = concat(...encodeManifest(manifest, (last) => (seal = last)));
  return { bytes, seal };
}

describe('a manifest', () => {
  it('is decoded to what was encoded, in the order of oid and tid, with its last seal', () => {
    for (const size of [0, 1, 2, 100, 1000]) {
      const manifest = manifestOf(anyEntries(size));
      const { bytes, seal } = encoded(manifest);
      const decoded = decodeManifest(bytes);
      assert.equal(bytes.length, (manifest.ids.size + 1) * ITEM);
      assert.equal(decoded.length, bytes.length);
      assert.deepEqual(decoded.seal, seal);
      assert.deepEqual(readSeal(bytes.subarray(bytes.length - ITEM)), seal);
      const { entries, ...sums } = contents(decoded.manifest);
      const due = contents(manifest);
      assert.deepEqual(sums, { count: due.count, bytes: due.bytes, missing: due.missing });
      const inOrder = due.entries.toSorted(([a, b], [c, d]) => (a === c ? (b! < d! ? -1 : 1) : a! < c! ? -1 : 1));
      assert.deepEqual(entries, inOrder);
    }
  });

  it('has the greatest oids and tids that an object may have', () => {
    const entries: Entry[] = [
      [
        { oid: ONES - 1n, tid: ONES },
        { length: 2 ** 53 - 1, hash: ONES },
      ],
      [
        { oid: 0n, tid: 0n },
        { length: 0, hash: 0n },
      ],
      [{ oid: 1n << 32n, tid: 1n << 63n }, 'missing'],
    ];
    const { manifest } = decodeManifest(appended([entries]).bytes);
    assert.deepEqual(contents(manifest), contents(manifestOf(entries)));
  });

  it('grows by batches: a later entry replaces an earlier one, and the sums follow', () => {
    const [one, two, three] = anyEntries(3) as [Entry, Entry, Entry];
    const batches: Entry[][] = [
      [[one[0], 'missing'], two],
      [],
      [three, [one[0], { length: 10, hash: 1n }]],
      [
        [two[0], 'missing'],
        [one[0], { length: 5, hash: 2n }],
      ],
    ];
    const { bytes, seal } = appended(batches);
    const decoded = decodeManifest(bytes);
    assert.deepEqual(contents(decoded.manifest), contents(manifestOf(batches.flat())));
    assert.deepEqual(decoded.manifest.get(one[0]), { length: 5, hash: 2n });
    assert.equal(decoded.manifest.get(two[0]), 'missing');
    assert.deepEqual([...decoded.manifest.missingIds()].includes(two[0]), false, 'ids are counted afresh');
    assert.deepEqual(
      [...decoded.manifest.missingIds()].map(({ oid }) => oid),
      [two, three].filter(([id]) => decoded.manifest.get(id) === 'missing').map(([{ oid }]) => oid),
    );
    assert.equal(seal.entries, batches.flat().length);
    assert.equal(decoded.manifest.get({ oid: 3n, tid: 3n }), undefined);
  });
});

describe('a manifest that is damaged', () => {
  const batches = [anyEntries(3), anyEntries(1), [], anyEntries(5)];
  const { bytes, ends } = appended(batches);
  const prefixes = batches.map((_, n) => contents(manifestOf(batches.slice(0, n).flat())));

  /** Asserts that bytes are decoded to the batches before one, and to no more than `most` of them. */
  function assertPrefix(damaged: Uint8Array, most: number, name: string): void {
    const { manifest, length, seal } = decodeManifest(damaged);
    const batch = ends.indexOf(length);
    assert.equal(batch, most, name);
    assert.deepEqual(contents(manifest), prefixes[batch] ?? contents(manifestOf(batches.flat())), name);
    assert.equal(seal.entries, batches.slice(0, batch).flat().length, name);
  }

  it('is right up to the last seal that is complete, wherever it breaks off', () => {
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.findLastIndex((end) => end <= length);
      assertPrefix(bytes.subarray(0, length), whole, `${length} bytes`);
      assertPrefix(concat(bytes.subarray(0, length), new Uint8Array(200)), whole, `${length} bytes, then zeros`);
    }
  });

  it('is right up to the batch before a bit that is flipped', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const before = ends.findLastIndex((end) => end <= bit >> 3);
      assertPrefix(damaged, before, `bit ${bit}`);
    }
  });

  it('is empty where it is garbage, or seals alone', () => {
    for (let round = 0; round < 200; round++)
      assert.equal(decodeManifest(random.bytes(random.below(500))).manifest.ids.size, 0);
    for (const byte of [0, 0xff]) assert.equal(decodeManifest(new Uint8Array(100_000).fill(byte)).length, 0);
    assert.equal(decodeManifest(new Uint8Array()).length, 0);
  });

  it('does not take a batch in another place for its own', () => {
    const [, first = 0, second = 0] = ends;
    assertPrefix(concat(bytes.subarray(first, second), bytes.subarray(0, first)), 0, 'exchanged');
    assertPrefix(concat(bytes.subarray(0, first), bytes.subarray(0, first)), 1, 'doubled');
    assertPrefix(concat(bytes.subarray(0, first), bytes.subarray(second)), 1, 'one left out');
  });

  it('ends with a seal only where there is one', () => {
    assert.equal(readSeal(bytes.subarray(0, ITEM)), undefined);
    assert.equal(readSeal(bytes.subarray(bytes.length - ITEM + 1)), undefined);
    assert.equal(readSeal(new Uint8Array()), undefined);
  });
});

it('a manifest of 200,000 blobs is made, written and read in bounded time and memory', () => {
  const COUNT = 200_000;
  const before = process.memoryUsage().rss;
  const start = process.cpuUsage();
  const manifest = new Manifest();
  for (let n = COUNT; n-- > 0; )
    manifest.set({ oid: BigInt(n), tid: 0x03e9_0000_0000_0000n + BigInt(n) }, { length: n, hash: BigInt(n) });
  const { bytes, seal } = encoded(manifest);
  const decoded = decodeManifest(bytes);
  assert.deepEqual(decoded.seal, seal);
  assert.equal(seal?.entries, COUNT);
  assert.equal(decoded.manifest.count, COUNT);
  assert.equal(decoded.manifest.bytes, (COUNT * (COUNT - 1)) / 2);
  assert.deepEqual(decoded.manifest.ids.idAt(0).oid, 0n);
  for (const n of [0, 1, 99_999, COUNT - 1])
    assert.deepEqual(decoded.manifest.get({ oid: BigInt(n), tid: 0x03e9_0000_0000_0000n + BigInt(n) }), {
      length: n,
      hash: BigInt(n),
    });
  // Of the processor: other work may have it meanwhile.
  const { user } = process.cpuUsage(start);
  assert.ok(user < 5e6, `${user / 1e6} s`);
  assert.ok(process.memoryUsage().rss - before < 250e6, `${(process.memoryUsage().rss - before) / 1e6} MB`);
});
