import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from '../../src/watch/pace.js';

describe('the pace of rounds', () => {
  it('is the interval while rounds succeed', () => {
    const pace = new Pace(1000);
    pace.failed();
    pace.succeeded();
    assert.equal(pace.pauseMs(), 1000);
    assert.equal(pace.isFailing, false);
  });

  it('slows down with failures, to a longest pause, and never below the interval', () => {
    for (const random of [0, 0.5, 0.999]) {
      const pace = new Pace(1000, () => random);
      let before = 1000;
      for (let failures = 0; failures < 100; failures++) {
        pace.failed();
        const pause = pace.pauseMs();
        assert.ok(pause >= before && pause >= 1000 && pause <= 15_000, `${failures} failures: ${pause} ms`);
        before = pause;
      }
      assert.ok(before >= 15_000 * 0.75);
    }
  });

  it('has jitter', () => {
    const pauses = [0, 0.5, 0.9].map((random) => {
      const pace = new Pace(1000, () => random);
      for (let n = 0; n < 3; n++) pace.failed();
      return pace.pauseMs();
    });
    assert.deepEqual(pauses, [8000, 7000, 6200]);
  });

  it('keeps an interval that is longer than the longest pause', () => {
    const pace = new Pace(60_000, () => 0);
    pace.failed();
    assert.equal(pace.pauseMs(), 60_000);
  });
});
