import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { BlobNamesCollector, UNDO_WORDS, undoTarget } from '../../src/filestorage/blob-names.js';
import { BLOB_RECORD } from '../support/blob-records.js';
import { altered, ascii, concat, type Draft, dataFs, filler, nthTid } from '../support/data-fs.js';
import { walkOver } from '../support/walking.js';

const latin = (text: string) => Buffer.from(text, 'latin1');
const HIGH = 0x1234_5678_9abc_def0n;

/** The names that a walk finds, as oid:tid, and those of undo records with their targets. */
function namesIn(bytes: Uint8Array, window?: number) {
  const blobs = new BlobNamesCollector();
  const walk = walkOver(bytes, { blobs, ...(window !== undefined && { window }) });
  const { names } = blobs;
  const pair = (words: Uint32Array, at: number): string => {
    const [a = 0, b = 0, c = 0, d = 0] = words.subarray(at, at + 4);
    return [a, b, c, d].map((word) => word.toString(16).padStart(8, '0')).join('');
  };
  const all = (words: Uint32Array, each: number) =>
    Array.from({ length: words.length / each }, (_, n) => pair(words, n * each));
  const targets = Array.from({ length: names.undos.length / UNDO_WORDS }, (_, n) =>
    undoTarget(names.undos, n * UNDO_WORDS),
  );
  return {
    end: walk.end,
    blobs: all(names.blobs, 4),
    undos: all(names.undos, UNDO_WORDS),
    targets,
    encrypted: names.encrypted,
  };
}

function nameOf(oid: bigint, transaction: number): string {
  return oid.toString(16).padStart(16, '0') + nthTid(transaction).toString(16).padStart(16, '0');
}

const blob = (oid: bigint) => ({ oid, data: BLOB_RECORD });

/** Every kind of record, and lengths around those that the matcher reads. */
const DRAFTS: readonly Draft[] = [
  { records: [blob(5n), { oid: 6n, data: filler(79) }, { oid: 7n, data: filler(80) }, { oid: 8n, data: filler(81) }] },
  { description: 'doubled, as a ZEO client writes it', records: [blob(HIGH), blob(HIGH)] },
  {
    records: [
      { oid: 1n, data: 'x' },
      { oid: 2n, data: '\x80' },
      { oid: 3n, data: '.z' },
      { oid: 4n, data: '.e' },
    ],
  },
  { records: [{ oid: 9n, data: concat(ascii('.z'), deflateSync(BLOB_RECORD)) }] },
  {
    records: [
      { oid: 10n, data: concat(ascii('.e'), filler(300)) },
      { oid: 11n, data: '.edge' },
    ],
  },
  { user: 'u', description: 'd'.repeat(100), extension: 'e', records: [{ oid: 12n, data: filler(5000) }, blob(13n)] },
  {
    records: [
      { oid: 5n, backPointer: 27 },
      { oid: 14n, backPointer: 0 },
      { oid: 15n, backPointer: 4 },
    ],
  },
  { records: [{ oid: 16n, data: latin('\x80\x04\x8d\x09\0\0\0\0\0\0\0ZODB.blob\x8d\x04\0\0\0\0\0\0\0Blob\x93.') }] },
  {
    records: [
      { oid: 17n, data: latin('X\x09\0\0\0ZODB.blobX\x04\0\0\0Blob\x93.') },
      { oid: 18n, data: BLOB_RECORD },
    ],
  },
  { records: [{ oid: 19n, data: latin('\x95\x16\0\0\0\0\0\0\0\x8c\x09ZODB.blob\x94\x8c\x04Blob\x94\x93\x94.') }] },
  { records: [{ oid: 20n, data: concat(BLOB_RECORD, filler(500)) }] },
  { records: [] },
];

describe('the blobs that a walk names', () => {
  const { bytes, places } = dataFs(DRAFTS);

  it('are those of blob records, with their tids; doubled ones come twice', () => {
    const found = namesIn(bytes);
    assert.deepEqual(found.blobs, [
      nameOf(5n, 0),
      nameOf(HIGH, 1),
      nameOf(HIGH, 1),
      nameOf(9n, 3),
      nameOf(13n, 5),
      nameOf(18n, 8),
      nameOf(20n, 10),
    ]);
    assert.deepEqual(found.undos, [nameOf(5n, 6), nameOf(15n, 6)]);
    assert.deepEqual(found.targets, [27, 4]);
    assert.equal(found.encrypted, 2);
  });

  it('are the same in windows of every length from 1 to 200', () => {
    const due = namesIn(bytes);
    for (let window = 1; window <= 200; window++) assert.deepEqual(namesIn(bytes, window), due, `windows of ${window}`);
  });

  it('are those of complete transactions, wherever the file breaks off', () => {
    const all = namesIn(bytes);
    for (let length = 5; length < bytes.length; length++) {
      if (length % 7 !== 0 && length % 50 !== 1) continue;
      const found = namesIn(bytes.slice(0, length), 64);
      const last = places.findLast(({ end }) => end <= length);
      assert.equal(found.end, last?.end ?? 4);
      const due = (name: string) => last !== undefined && BigInt(`0x${name.slice(16)}`) <= last.tid;
      assert.deepEqual(found.blobs, all.blobs.filter(due), `${length} bytes`);
      assert.deepEqual(found.undos, all.undos.filter(due), `${length} bytes`);
    }
  });

  it('are not those of a transaction in flight, or undone by a pack', () => {
    const drafts = (status: string): Draft[] => [{ records: [blob(1n)] }, { status, records: [blob(2n)] }];
    assert.deepEqual(namesIn(dataFs(drafts('c')).bytes).blobs, [nameOf(1n, 0)]);
    assert.deepEqual(namesIn(dataFs(drafts('u')).bytes).blobs, [nameOf(1n, 0)]);
    assert.deepEqual(namesIn(dataFs(drafts('p')).bytes).blobs, [nameOf(1n, 0), nameOf(2n, 1)]);
  });

  it('are not those of a transaction that proves damaged behind them', () => {
    const file = dataFs([{ records: [blob(1n)] }, { records: [blob(2n), { oid: 3n, backPointer: 4 }, blob(4n)] }]);
    const damaged = altered(file.bytes, (view) => view.setBigUint64(file.places[1]!.records[2]! + 24, 99n));
    for (const window of [undefined, 1, 64]) {
      const found = namesIn(damaged, window);
      assert.deepEqual([found.blobs, found.undos], [[nameOf(1n, 0)], []]);
    }
  });

  it("of records that were restored without a serial have their transaction's tid", () => {
    const file = dataFs([{ records: [blob(1n), { oid: 2n, backPointer: 27 }] }]);
    const restored = altered(file.bytes, (view) => {
      for (const at of file.places[0]!.records) view.setBigUint64(at + 8, 0n);
    });
    const found = namesIn(restored);
    assert.deepEqual([found.blobs, found.undos], [[nameOf(1n, 0)], [nameOf(2n, 0)]]);
  });
});
