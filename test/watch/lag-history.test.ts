import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LagHistory } from '../../src/watch/lag-history.js';

const MINUTE = 60_000;

describe('the history of the lag', () => {
  it('keeps the largest lag of each minute', () => {
    const history = new LagHistory();
    for (const [at, seconds] of [
      [0, 0],
      [1000, 0.4],
      [2000, 0.1],
      [MINUTE, 0.2],
    ] as const)
      history.add(at, seconds);
    assert.deepEqual(history.points, [
      { time: 0, seconds: 0.4 },
      { time: MINUTE, seconds: 0.2 },
    ]);
  });

  it('does not know the lag of a minute in which no check succeeded', () => {
    const history = new LagHistory();
    history.add(0, null);
    history.add(MINUTE, null);
    history.add(MINUTE + 1, 0.3);
    history.add(MINUTE + 2, null);
    assert.deepEqual(
      history.points.map(({ seconds }) => seconds),
      [null, 0.3],
    );
  });

  it('is bounded', () => {
    const history = new LagHistory();
    for (let minute = 0; minute < 1000; minute++) history.add(minute * MINUTE, minute);
    assert.equal(history.points.length, 360);
    assert.equal(history.points.at(-1)?.seconds, 999);
  });
});
