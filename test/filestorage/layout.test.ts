import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyOffset, magicOf, readPosition, readTransactionHeader } from '../../src/filestorage/layout.js';
import { ascii } from '../support/data-fs.js';

function read(value: bigint): number {
  const view = new DataView(new ArrayBuffer(10));
  view.setBigUint64(1, value);
  return readPosition(view, 1);
}

describe('a position', () => {
  it('is read exactly up to 2^53 - 1', () => {
    for (const value of [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_2345_6789n, (1n << 53n) - 1n]) {
      assert.equal(BigInt(read(value)), value);
    }
  });

  it('that does not fit a number exactly exceeds every bound', () => {
    for (const value of [1n << 53n, (1n << 53n) + 1n, 1n << 63n, (1n << 64n) - 1n]) {
      assert.equal(read(value), Number.POSITIVE_INFINITY);
    }
  });
});

describe('the magic', () => {
  it('is that of Python 2 or of Python 3', () => {
    assert.equal(magicOf(ascii('FS21')), 'FS21');
    assert.equal(magicOf(ascii('FS30 and more')), 'FS30');
  });

  it('is no other text', () => {
    for (const text of ['', 'FS3', 'FS20', 'FS31', 'fs30', ' FS30', '\0\0\0\0']) {
      assert.equal(magicOf(ascii(text)), undefined, JSON.stringify(text));
    }
  });
});

describe('a transaction header', () => {
  const bytes = Uint8Array.from([0, ...new Array(7).fill(1), 2, 0, 0, 0, 0, 0, 0, 0x20, 0x70, 0, 1, 0, 2, 255, 255, 9]);
  bytes.set([0, 0, 0, 0, 0, 0, 1, 0], 8);

  it('has its fields where format.py has them', () => {
    assert.deepEqual(readTransactionHeader(new DataView(bytes.buffer), 0), {
      tid: 0x0001010101010101n,
      length: 256,
      status: 0x70,
      userLength: 1,
      descriptionLength: 2,
      extensionLength: 65_535,
    });
  });

  it("ends at the transaction's first record", () => {
    assert.equal(bodyOffset(readTransactionHeader(new DataView(bytes.buffer), 0)), 23 + 1 + 2 + 65_535);
  });
});
