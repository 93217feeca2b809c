import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Fixture } from '../../bench/fixture/fixture.js';
import { SITE } from '../../bench/fixture/options.js';
import { placedRecords, readHistory } from '../../src/demo/history.js';
import { encodeTransaction } from '../../src/filestorage/encode.js';
import { EVERYTHING, grown } from '../support/fixtures.js';
import { walkOver } from '../support/walking.js';

const PAGE = 4096;
const SIZE = 8_000_000;

describe('a fixture', () => {
  const { bytes, facts } = grown(EVERYTHING, [SIZE]);
  const history = readHistory(bytes);

  it("equals the output of the format's encoder, with the announced facts", () => {
    const again = Buffer.concat([Buffer.from('FS30'), ...history.map((transaction) => encodeTransaction(transaction))]);
    assert.ok(again.equals(bytes));
    assert.equal(facts.size, bytes.length);
    assert.ok(facts.size >= SIZE);
    assert.equal(facts.transactions, history.length);
    const records = history.flatMap((transaction) => transaction.records);
    assert.equal(facts.records, records.length);
    assert.equal(facts.objects, new Set(records.map(({ oid }) => oid)).size);
    assert.equal(BigInt(`0x${facts.lastTid}`), history.at(-1)?.tid);
  });

  it('breaks no rule of the walk', () => {
    const walk = walkOver(bytes);
    assert.equal(walk.stop?.kind, 'end');
    assert.equal(walk.end, bytes.length);
    assert.deepEqual(walk.warnings, []);
  });

  it('has previous pointers to the previous record, and undo records that point to an earlier one of the object', () => {
    const positions = new Map<bigint, number[]>();
    const undone = { changes: 0, creations: 0 };
    for (const transaction of history) {
      for (const { position, record } of placedRecords(transaction)) {
        const before = positions.get(record.oid) ?? [];
        assert.equal(record.prev, before.at(-1) ?? 0);
        if ('backPointer' in record) {
          if (record.backPointer === 0) undone.creations++;
          else undone.changes++;
          assert.ok(record.backPointer === 0 || before.slice(0, -1).includes(record.backPointer));
        }
        positions.set(record.oid, [...before, position]);
      }
    }
    assert.ok(undone.changes > 10 && undone.creations > 0, JSON.stringify(undone));
  });

  it('has a packed part, empty and huge transactions, and blobs', () => {
    const packed = history.findIndex(({ status }) => status !== 0x70);
    assert.ok(packed > 1);
    assert.ok(history.slice(packed).every(({ status }) => status === 0x20));
    const inPack = history.slice(0, packed).flatMap(({ records }) => records);
    assert.equal(new Set(inPack.map(({ oid }) => oid)).size, inPack.length);
    assert.ok(inPack.every(({ prev }) => prev === 0));
    assert.ok(inPack.some(({ oid }) => oid === 0n));
    const sizes = history.map((transaction) => encodeTransaction(transaction).length);
    assert.ok(sizes.some((size) => size > 3_000_000));
    assert.ok(history.some(({ records }) => records.length === 0));
    assert.ok(bytes.includes('ZODB.blob'));
  });

  it('is the same for the same seed, whatever the steps it grows in, and differs for another seed', () => {
    const first = history[0]!;
    const sizes = [4, 5, first.position + encodeTransaction(first).length, 99_999, 5_000_000, SIZE - 1];
    assert.ok(grown(EVERYTHING, [...sizes, SIZE]).bytes.equals(bytes));
    assert.ok(!grown({ ...EVERYTHING, seed: 2 }, [SIZE]).bytes.equals(bytes));
  });

  it('is the same on every machine', () => {
    const hash = createHash('sha256')
      .update(grown(SITE, [1_000_000]).bytes)
      .digest('hex');
    assert.equal(hash, '516cba85fafb29a44d0ad7895602127ca6ef8a928e2a7943151865991dbbe214');
  });

  it("is written in order and in complete pieces, from memory in the file's order", () => {
    const fixture = new Fixture(SITE);
    let end = 0;
    for (const size of [1_000_001, 20_000_000]) {
      fixture.growTo(size, (piece, position) => {
        assert.equal(position, end);
        assert.equal(piece.byteOffset % PAGE, position % PAGE);
        assert.ok((position + piece.length) % PAGE === 0 || position + piece.length >= size);
        end = position + piece.length;
      });
    }
  });

  it('does not compress much', () => {
    assert.ok(gzipSync(grown(SITE, [2_000_000]).bytes).length > 0.7 * 2_000_000);
  });

  it('can have data of one length, single records, or no records at all', () => {
    const fixed = grown({ ...SITE, blobs: 0, undos: 0, sizes: { kind: 'fixed', length: 5000 } }, [500_000]);
    const lengths = readHistory(fixed.bytes).flatMap(({ records }) =>
      records.map((record) => ('data' in record && record.oid !== 0n ? record.data.length : 5000)),
    );
    assert.deepEqual(new Set(lengths), new Set([5000]));
    const single = { ...SITE, recordsPerTransaction: 1, updates: 1, undos: 0, empties: 0 };
    const counts = readHistory(grown(single, [500_000]).bytes).map(({ records }) => records.length);
    // A new object comes with the root; all others are alone.
    assert.ok(counts.slice(1).every((count) => count <= 2));
    const empty = grown({ ...SITE, empties: 1 }, [1_000_000]);
    assert.equal(empty.facts.records, 0);
    assert.ok(empty.facts.transactions > 15_000);
  });
});
