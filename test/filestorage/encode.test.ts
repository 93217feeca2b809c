import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  encodedLength,
  encodeTransaction,
  recordPositions,
  type TransactionToWrite,
} from '../../src/filestorage/encode.js';
import { readTransactionHeader, STATUS_COMMITTED, STATUS_IN_FLIGHT } from '../../src/filestorage/layout.js';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const transaction: TransactionToWrite = {
  tid: 0x03e1_2345_89ab_cdefn,
  position: 0x1_0000_0004,
  status: STATUS_IN_FLIGHT,
  user: ascii('al'),
  description: ascii('edit'),
  extension: ascii('x'),
  records: [
    { oid: 0n, prev: 4, data: ascii('abc') },
    { oid: 0x1122n, prev: 0x1_0000_0000, backPointer: 0x64 },
  ],
};

const GOLDEN = `
03e1234589abcdef 000000000000007d 63 0002 0004 0001
616c 65646974 78
0000000000000000 03e1234589abcdef 0000000000000004 0000000100000004 0000 0000000000000003
616263
0000000000001122 03e1234589abcdef 0000000100000000 0000000100000004 0000 0000000000000000
0000000000000064
000000000000007d`.replace(/\s/g, '');

describe('encodeTransaction', () => {
  it('writes the bytes of the picture in layout.ts', () => {
    assert.equal(Buffer.from(encodeTransaction(transaction)).toString('hex'), GOLDEN);
  });

  it('writes an empty transaction as a header and a trailer', () => {
    const empty = { ...transaction, user: ascii(''), description: ascii(''), extension: ascii(''), records: [] };
    const bytes = encodeTransaction({ ...empty, status: STATUS_COMMITTED });
    assert.equal(
      Buffer.from(bytes).toString('hex'),
      '03e1234589abcdef000000000000001720000000000000' + '0000000000000017',
    );
  });

  it('is read back by readTransactionHeader', () => {
    const bytes = encodeTransaction(transaction);
    assert.deepEqual(readTransactionHeader(new DataView(bytes.buffer), 0), {
      tid: transaction.tid,
      length: bytes.length - 8,
      status: STATUS_IN_FLIGHT,
      userLength: 2,
      descriptionLength: 4,
      extensionLength: 1,
    });
  });

  it('returns lengths and record positions without encoding', () => {
    assert.equal(encodedLength(transaction), encodeTransaction(transaction).length);
    assert.deepEqual(recordPositions(transaction), [transaction.position + 30, transaction.position + 75]);
  });

  const refused: [string, Partial<TransactionToWrite>, RegExp][] = [
    ['a tid beyond 64 bits', { tid: 1n << 64n }, /tid 18446744073709551616 does not fit 64 bits/],
    ['a negative oid', { records: [{ oid: -1n, prev: 0, backPointer: 0 }] }, /oid -1 does not fit 64 bits/],
    ['a position beyond 53 bits', { position: 2 ** 53 }, /position 9007199254740992 does not fit 53 bits/],
    ['a fractional previous pointer', { records: [{ oid: 1n, prev: 0.5, backPointer: 0 }] }, /previous pointer 0.5/],
    ['a user name beyond 16 bits', { user: new Uint8Array(65536) }, /text of 65536 bytes exceeds 65535/],
    ['a record without data', { records: [{ oid: 7n, prev: 0, data: ascii('') }] }, /oid 7 has no data/],
  ];
  for (const [name, change, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => encodeTransaction({ ...transaction, ...change }), { name: 'RangeError', message });
    });
  }
});
