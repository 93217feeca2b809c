import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turn } from '../../src/watch/turn.js';

describe('a turn of a watch', () => {
  it('contradicts the last result when it has found the slave behind, and until it ends', () => {
    const turn = new Turn();
    turn.begin();
    const before = turn.lack;
    turn.isBehind(Date.now() - 5000);
    const behind = turn.lack;
    turn.end();
    assert.deepEqual([before, turn.lack, turn.isLong], [undefined, undefined, false]);
    assert.ok(Number(behind?.seconds) >= 5);
  });

  it('leaves it open what the slave lacks when it takes long', () => {
    let now = 0;
    const turn = new Turn(() => now);
    turn.begin();
    now = 9_000;
    assert.deepEqual([turn.isLong, turn.lack], [false, undefined]);
    now = 11_000;
    assert.deepEqual([turn.isLong, turn.lack], [true, { seconds: null }]);
    turn.end();
    assert.deepEqual([turn.isLong, turn.lack], [false, undefined]);
  });
});
