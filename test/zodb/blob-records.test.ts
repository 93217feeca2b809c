import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { BLOB_PREFIX, isBlobRecord, mayBeBlob } from '../../src/filestorage/blob-record.js';
import { BLOB_RECORD } from '../support/blob-records.js';
import { Random } from '../support/random.js';
import { fixedSeed } from '../support/seed.js';
import { BlobJudge } from './blob-judge.js';

const judge = new BlobJudge();
after(() => judge.close());

/**
 * Asserts that ZODB and the matcher agree, and that the first bytes suffice. Returns how many are blobs'.
 * `isOdd`: no pickler writes such a record. ZODB's unpickler may find a blob in it all the same; the matcher need not.
 */
async function assertAgree(
  records: readonly Uint8Array[],
  names: (n: number) => string,
  isOdd: (n: number) => boolean = () => false,
): Promise<number> {
  const due = await judge.judge(records);
  for (const [n, record] of records.entries()) {
    if (isOdd(n) && isBlobRecord(record) === 'other') continue;
    assert.equal(isBlobRecord(record), due[n], names(n));
    assert.equal(isBlobRecord(record.subarray(0, BLOB_PREFIX), record.length), due[n], `${names(n)}, its beginning`);
    if (due[n] === 'other') continue;
    const padded = new Uint8Array(4);
    padded.set(record.subarray(0, 4));
    assert.ok(mayBeBlob(new DataView(padded.buffer).getUint32(0)), `${names(n)} passes the first glance`);
  }
  return due.filter((kind) => kind === 'blob').length;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('is_blob_record of ZODB and the matcher agree', () => {
  it('on every form that a pickler of Python writes, and on what resembles them', async () => {
    const rows = await judge.records();
    const blobs = await assertAgree(
      rows.map(([, record]) => record),
      (n) => `${rows[n]![0]}: ${hex(rows[n]![1])}`,
      (n) => rows[n]![0].startsWith('odd'),
    );
    assert.ok(blobs > 50 && rows.length - blobs > 300, `${blobs} of ${rows.length}`);
  });

  it('on every beginning of the right record', async () => {
    const beginnings = [...BLOB_RECORD.keys()].map((length) => BLOB_RECORD.subarray(0, length));
    await assertAgree([...beginnings, BLOB_RECORD], (n) => `${n} bytes`);
  });

  it('on every change of one byte of the right record', async () => {
    const changed = [...BLOB_RECORD.keys()].flatMap((at) =>
      Array.from({ length: 256 }, (_, byte) => {
        const record = BLOB_RECORD.slice();
        record[at] = byte;
        return record;
      }),
    );
    await assertAgree(changed, (n) => `byte ${n >> 8} is ${n & 255}: ${hex(changed[n]!)}`);
  });

  it('on bytes that are inserted, removed and doubled at random', async (t) => {
    const seed = fixedSeed(20_261_128);
    t.diagnostic(`seed ${seed}`);
    const random = new Random(Number(seed) | 0);
    const forms = (await judge.records()).filter(([name]) => !name.startsWith('.e')).map(([, record]) => record);
    const records = Array.from({ length: 3000 }, () => {
      const form = random.pick(forms);
      const at = random.below(form.length);
      const to = at + random.below(3);
      return Buffer.concat([form.subarray(0, at), random.bytes(random.below(3)), form.subarray(to)]);
    }).filter((record) => !isHuge(record) && !isFramed(record));
    await assertAgree(
      records,
      (n) => hex(records[n]!),
      () => true,
    );
  });
});

/** ZODB 6 reads no frames; a reader of them checks their length, and the matcher does not. */
function isFramed(record: Uint8Array): boolean {
  return record[0] === 0x80 && (record[1] === 4 || record[1] === 5);
}

/** A memo number of four bytes, or a length of four: Python would allocate gigabytes. */
function isHuge(record: Uint8Array): boolean {
  return record.includes(0x72) || record.includes(0x6a);
}
