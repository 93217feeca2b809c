import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checksum } from '../../src/io/checksum.js';
import { newHash } from '../../src/io/hash-module.js';
import { ownMemory, sharedMemory, WASM_PAGE } from '../../src/io/page-memory.js';
import { importingMemory } from '../../src/io/wasm-memory.js';
import { xxh64 } from '../support/chunks.js';
import { filler } from '../support/data-fs.js';

const LIMITS = { least: 1, most: 4, shared: false };
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPES = [1, 1, 0];
const MEMORY = [5, 3, 1, 0, 1];

describe('a hash', () => {
  for (const [kind, memory] of [
    ['of a thread', ownMemory(3 * WASM_PAGE)],
    ['that threads share', sharedMemory(3 * WASM_PAGE)],
  ] as const) {
    it(`is computed where the bytes are, in memory ${kind}`, () => {
      const bytes = filler(100_000);
      new Uint8Array(memory.buffer).set(bytes, WASM_PAGE);
      const hash = newHash(memory);
      hash.init64(0, 0n);
      hash.update64(0, WASM_PAGE, bytes.length);
      assert.equal(BigInt.asUintN(64, hash.digest64(0)).toString(16).padStart(16, '0'), xxh64(bytes));
    });
  }
});

describe('the checksum of a text', () => {
  it('does not depend on earlier texts, shorter or longer', () => {
    for (const length of [0, 1, 31, 32, 33, 200_000, 7, 64, 70_000, 1_000_000, 5]) {
      const text = 'ä line\n'.repeat(length).slice(0, length);
      assert.equal(checksum(text), xxh64(Buffer.from(text)), `${length} characters`);
    }
  });
});

describe('a module with another memory', () => {
  it('imports it instead of its own, and is still a valid module', () => {
    const changed = importingMemory(Uint8Array.from([...HEAD, ...TYPES, ...MEMORY]), LIMITS);
    const name = [6, ...Buffer.from('memory')];
    assert.deepEqual([...changed], [...HEAD, ...TYPES, 2, 19, 1, ...name, ...name, 2, 1, 1, 4]);
    assert.ok(new WebAssembly.Module(changed));
  });

  it('must have types, and its own memory', () => {
    for (const sections of [[], TYPES, MEMORY, [...TYPES, 2, 1, 0, ...MEMORY]]) {
      assert.throws(() => importingMemory(Uint8Array.from([...HEAD, ...sections]), LIMITS), RangeError);
    }
  });
});
