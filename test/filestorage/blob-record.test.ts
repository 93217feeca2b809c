import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { BLOB_PREFIX, isBlobRecord, type RecordKind } from '../../src/filestorage/blob-record.js';
import { BLOB_RECORD } from '../support/blob-records.js';
import { ascii, concat } from '../support/data-fs.js';

const GIB = 1 << 30;
const latin = (text: string) => Buffer.from(text, 'latin1');
const compressed = (data: Uint8Array) => concat(ascii('.z'), deflateSync(data));

/** test/zodb/blob-records.test.ts asks ZODB about all forms. */
const RECORDS: readonly (readonly [string, Uint8Array, RecordKind])[] = [
  ['protocol 3', BLOB_RECORD, 'blob'],
  ['protocol 2', latin('\x80\x02cZODB.blob\nBlob\nq\x01.\x80\x02N.'), 'blob'],
  ['protocol 1, of cPickle', latin('cZODB.blob\nBlob\nq\x01.N.'), 'blob'],
  ['protocol 0, of cPickle', latin('cZODB.blob\nBlob\np1\n.N.'), 'blob'],
  ['no memo', latin('\x80\x03cZODB.blob\nBlob\n.\x80\x03N.'), 'blob'],
  ['protocol 4', latin('\x80\x04\x8c\x09ZODB.blob\x94\x8c\x04Blob\x94\x93\x94.\x80\x04N.'), 'blob'],
  ['compressed', compressed(BLOB_RECORD), 'blob'],
  ['compressed twice', compressed(compressed(BLOB_RECORD)), 'other'],
  ['encrypted', ascii('.e whatever'), 'encrypted'],
  ['another class of that module', latin('\x80\x03cZODB.blob\nBlobFile\nq\x00.\x80\x03N.'), 'other'],
  ['a class that begins so', latin('\x80\x03cZODB.blob\nBlobs\nq\x00.\x80\x03N.'), 'other'],
  ['the class with arguments', latin('\x80\x03cZODB.blob\nBlob\nq\x00)\x86q\x01.\x80\x03N.'), 'other'],
  ['the class called', latin('\x80\x03cZODB.blob\nBlob\n)R.\x80\x03N.'), 'other'],
  ['a memo without number', latin('cZODB.blob\nBlob\np\n.N.'), 'other'],
  ['a memo of letters', latin('cZODB.blob\nBlob\npabc\n.N.'), 'other'],
  ['a later protocol', latin('\x80\x06cZODB.blob\nBlob\nq\x00.'), 'other'],
  ['one byte before it', concat(ascii(' '), BLOB_RECORD), 'other'],
  ['nothing', new Uint8Array(), 'other'],
  ['a dot', ascii('.'), 'other'],
  ['.z', ascii('.z'), 'other'],
  ['.z and no zlib', concat(ascii('.z'), BLOB_RECORD), 'other'],
  ['.z that breaks off', compressed(BLOB_RECORD).subarray(0, 20), 'other'],
];

describe('the record of a blob', () => {
  for (const [name, record, kind] of RECORDS) {
    it(`${name}: ${kind}`, () => {
      assert.equal(isBlobRecord(record), kind);
      assert.equal(isBlobRecord(record.subarray(0, BLOB_PREFIX), record.length), kind);
    });
  }

  it('is not looked for in what follows the bytes that are given', () => {
    const view = new Uint8Array(1000);
    view.set(BLOB_RECORD, 100);
    for (let length = 0; length < BLOB_RECORD.length; length++) {
      const isEnough = length >= latin('\x80\x03cZODB.blob\nBlob\nq\x00.').length;
      assert.equal(isBlobRecord(view.subarray(100, 100 + length)), isEnough ? 'blob' : 'other', `${length} bytes`);
    }
  });
});

describe('a compressed record', () => {
  it('that would inflate to a gigabyte is another one, at once, and takes no memory', () => {
    const small = compressed(new Uint8Array(40_000));
    assert.ok(small.length <= BLOB_PREFIX, `${small.length} bytes`);
    const bomb = concat(ascii('.z'), deflateSync(new Uint8Array(GIB / 16), { level: 9 }));
    const before = process.memoryUsage.rss();
    const start = process.cpuUsage();
    for (let n = 0; n < 1000; n++) {
      assert.equal(isBlobRecord(small), 'other');
      assert.equal(isBlobRecord(bomb), 'other');
      assert.equal(isBlobRecord(bomb.subarray(0, BLOB_PREFIX), BLOB_PREFIX), 'other');
      assert.equal(isBlobRecord(bomb.subarray(0, BLOB_PREFIX), GIB), 'other');
    }
    assert.ok(process.cpuUsage(start).user < 3e6);
    assert.ok(process.memoryUsage.rss() - before < 100e6);
  });

  it('that begins as a blob and goes on for ever is another one', () => {
    const record = compressed(concat(BLOB_RECORD, new Uint8Array(20_000)));
    assert.ok(record.length <= BLOB_PREFIX, `${record.length} bytes`);
    assert.equal(isBlobRecord(record), 'other');
  });
});
