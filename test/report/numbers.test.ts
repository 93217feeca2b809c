import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatCount, formatSeconds } from '../../src/report/numbers.js';

describe('numbers for people', () => {
  it('are rounded to a tenth of a second when small, otherwise to a second', () => {
    const words: readonly (readonly [number, string])[] = [
      [0, '0 s'],
      [0.001, 'less than 0.1 s'],
      [0.05, '0.1 s'],
      [7.400000002, '7.4 s'],
      [7.96, '8 s'],
      [60.4, '60.4 s'],
      [120, '120 s'],
      [999.96, '1000 s'],
      [86_399.7, '86400 s'],
    ];
    for (const [seconds, text] of words) assert.equal(formatSeconds(seconds), text);
  });

  it('agree with their nouns', () => {
    assert.deepEqual(
      [0, 1, 2, 1_000_000].map((count) => formatCount(count, 'transaction')),
      ['0 transactions', '1 transaction', '2 transactions', '1000000 transactions'],
    );
  });
});
