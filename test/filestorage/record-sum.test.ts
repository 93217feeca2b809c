import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordSum } from '../../src/filestorage/record-sum.js';
import { Random } from '../support/random.js';

type Pair = readonly [high: number, low: number, position: number];

function sumOf(pairs: readonly Pair[]): RecordSum {
  const sum = new RecordSum();
  for (const pair of pairs) sum.add(...pair);
  return sum;
}

const random = new Random(3);
const some = Array.from({ length: 500 }, (_, n): Pair => [n % 3, n * 7, 4 + random.below(2 ** 40)]);

describe('the sum of records', () => {
  it('is the same in any order, and for any division', () => {
    const whole = sumOf(some);
    assert.ok(whole.equals(sumOf([...some].reverse())));
    const parts = sumOf(some.slice(0, 100));
    parts.addSum(sumOf(some.slice(100)).value);
    assert.ok(whole.equals(parts));
    for (const pair of some) whole.takeAway(...pair);
    assert.ok(whole.equals(new RecordSum()));
  });

  it('changes with any single bit of a record', () => {
    const whole = sumOf(some);
    for (const word of [0, 1, 2])
      for (let bit = 0; bit < (word === 2 ? 48 : 32); bit++) {
        const [first, ...rest] = some as [Pair, ...Pair[]];
        const changed = first.map((n, at) => (at === word ? Number(BigInt(n) ^ (1n << BigInt(bit))) : n));
        assert.ok(!whole.equals(sumOf([changed as unknown as Pair, ...rest])), `word ${word}, bit ${bit}`);
      }
  });

  it('changes when two objects exchange their positions, or when one counts twice instead of another', () => {
    const [a, b, ...rest] = some as [Pair, Pair, ...Pair[]];
    const whole = sumOf(some);
    assert.ok(!whole.equals(sumOf([[a[0], a[1], b[2]], [b[0], b[1], a[2]], ...rest])));
    assert.ok(!whole.equals(sumOf([a, a, ...rest])));
  });

  it('maps no two records to the same value', () => {
    const seen = new Set<string>();
    const sum = new RecordSum();
    for (let low = 0; low < 300; low++)
      for (let at = 0; at < 300; at++) {
        sum.add(0, low, 4 + 65 * at);
        seen.add(`${sum.lastLeft} ${sum.lastRight}`);
      }
    assert.equal(seen.size, 90_000);
  });
});
