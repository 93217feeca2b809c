import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directoryOf, fileNameOf, oidOfDirectory, tidOfName } from '../../src/blobs/layout.js';

/** As ZODB.utils.oid_repr writes them; test/zodb/blob-layout.test.ts asks it. */
const LAWN: readonly (readonly [bigint, string])[] = [
  [0n, '0x00'],
  [1n, '0x01'],
  [0x10n, '0x10'],
  [0x100n, '0x0100'],
  [0x1234n, '0x1234'],
  [1n << 32n, '0x0100000000'],
  [1n << 63n, '0x8000000000000000'],
  [(1n << 64n) - 2n, '0xfffffffffffffffe'],
];

describe('the names of blobs', () => {
  it('have whole bytes in a lawn, without leading zeros', () => {
    for (const [oid, name] of LAWN) {
      assert.deepEqual(directoryOf(oid, 'lawn'), [name]);
      assert.equal(oidOfDirectory([name]), oid);
    }
    assert.equal(fileNameOf(0x3e9_0000_0000_0000n), '0x03e9000000000000.blob');
  });

  it('have a directory for each byte in a bushy layout', () => {
    const bushy = directoryOf(0x0102_0304_0506_0708n, 'bushy');
    assert.deepEqual(bushy, ['0x01', '0x02', '0x03', '0x04', '0x05', '0x06', '0x07', '0x08']);
    assert.equal(oidOfDirectory(bushy), 0x0102_0304_0506_0708n);
  });

  it('are no others', () => {
    const ones = Array<string>(8).fill('0xff');
    const directories = [[], [''], ['0x'], ['0x1'], ['0x0001'], ['1234'], ['0xAB'], ['0x010000000000000000'], ones];
    for (const components of [...directories, ['0xffffffffffffffff'], ones.slice(1), [...ones.slice(1), '0x1'], ['..']])
      assert.equal(oidOfDirectory(components), undefined, components.join('/'));
    for (const name of ['0x.blob', '0x1.blob', '0x0001.blob', '0x01.blob.tmp', '0x01.blob.syncpozo-tmp', 'x0x01.blob'])
      assert.equal(tidOfName(name), undefined, name);
  });
});
