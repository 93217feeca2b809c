import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refersToAny } from '../../src/lineage/references.js';
import { dataFs } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

function oid(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(Math.floor(number / 2 ** 32));
  bytes.writeUInt32BE(number % 2 ** 32, 4);
  return bytes;
}

function reference(to: number, opcode = 'C'): Buffer {
  return Buffer.concat([Buffer.from(`${opcode}\x08`, 'latin1'), oid(to)]);
}

function refers(data: Uint8Array, ...to: number[]): Promise<boolean> {
  const { bytes } = dataFs([{ records: [{ oid: 1n, data }] }]);
  return refersToAny(new MemoryFile(bytes), bytes.length, Float64Array.from(to));
}

describe('references to objects that are gone', () => {
  it('are found in both forms, also of a high oid, and no others', async () => {
    const high = 5 * 2 ** 32 + 7;
    for (const opcode of ['C', 'U']) {
      const data = Buffer.concat([Buffer.from('some text, '), reference(high, opcode), Buffer.from(' and more')]);
      assert.deepEqual([await refers(data, 3, high), await refers(data, 3, 7)], [true, false]);
    }
    assert.equal(await refers(reference(9, 'X'), 9), false);
  });

  it('are found wherever the pieces that are read end', async () => {
    for (let before = 2 ** 20 - 80; before < 2 ** 20; before++) {
      const data = Buffer.concat([Buffer.alloc(before, 'x'), reference(9), Buffer.alloc(50, 'x')]);
      assert.equal(await refers(data, 9), true, `${before}`);
    }
  });

  it('are assumed in compressed data', async () => {
    assert.equal(await refers(Buffer.from('.zx\x9cthis is compressed'), 9), true);
    assert.equal(await refers(Buffer.from('a text with .zx in it'), 9), false);
  });
});
