import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBytes, parseBytes } from '../../src/report/size.js';

const KIB = 1024;
const GIB = KIB ** 3;

describe('a printed size', () => {
  const sizes: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [32 * KIB * KIB, '32.0 MiB'],
    [1.5 * GIB, '1.5 GiB'],
    [2.5 * KIB * GIB, '2.5 TiB'],
    [5000 * KIB * GIB, '5000.0 TiB'],
    [1023.5, '1024 B'],
  ];
  for (const [bytes, text] of sizes) {
    it(`of ${bytes} bytes is ${text}`, () => assert.equal(formatBytes(bytes), text));
  }
});

describe('a given size', () => {
  const given: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['100', 100],
    ['100B', 100],
    ['64 KiB', 64 * KIB],
    ['32MiB', 32 * KIB * KIB],
    ['1GiB', GIB],
    [' 7KiB ', 7 * KIB],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, bytes] of given) {
    it(`as ${JSON.stringify(text)} is ${bytes} bytes`, () => assert.equal(parseBytes(text), bytes));
  }

  it('is refused in any other form', () => {
    const refused = ['', ' ', 'x', '-1', '1.5GiB', '1e3', '0x10', '1 GB', '1kib', '1K', 'MiB', '1  MiB', '1MiB2', '+1'];
    for (const text of refused) assert.equal(parseBytes(text), undefined, text);
  });

  it('is refused when it exceeds the largest position', () => {
    for (const text of ['9007199254740992', '8388608GiB', '9'.repeat(400)]) assert.equal(parseBytes(text), undefined);
  });
});
