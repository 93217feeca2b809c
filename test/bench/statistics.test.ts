import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, medianCpu, medianSeconds, peak, range, type Series } from '../../bench/statistics.js';
import { addsAtMost, atMost, faster, ofLarge, withinShare } from '../../bench/target.js';

function series(name: string, ...seconds: readonly number[]): Series {
  return { name, timings: seconds.map((one) => ({ seconds: one, cpuSeconds: 2 * one, peakBytes: 100 * one })) };
}

describe('the statistics', () => {
  it('take the median, or the mean of the middle two', () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 9]), 3);
    assert.throws(() => median([]), RangeError);
  });

  it('of a series: median, range, processor time, peak', () => {
    const one = series('one', 3, 1, 2);
    assert.equal(medianSeconds(one), 2);
    assert.deepEqual(range(one), [1, 3]);
    assert.equal(medianCpu(one), 4);
    assert.equal(peak(one), 300);
    const unknown = { name: 'x', timings: [{ seconds: 1, cpuSeconds: undefined, peakBytes: undefined }] };
    assert.equal(medianCpu(unknown), undefined);
    assert.equal(peak(unknown), undefined);
  });
});

describe('a target', () => {
  const both = [series('ours', 0.11, 0.1, 0.5), series('theirs', 0.2, 0.2, 0.1)];

  it('is judged by medians', () => {
    assert.deepEqual(atMost(both, 'ours', 0.6, 'theirs'), [
      { asked: 'ours: at most 0.60 times theirs', measured: '0.55 times (best runs: 1.00 times)', met: true },
    ]);
    assert.equal(atMost(both, 'ours', 0.5, 'theirs')[0]?.met, false);
    assert.equal(faster(both, 'ours', 2, 'theirs')[0]?.met, false);
    assert.equal(faster(both, 'ours', 1.8, 'theirs')[0]?.met, true);
    assert.equal(addsAtMost(both, 'theirs', 89, 'ours')[0]?.met, false);
    assert.equal(addsAtMost(both, 'theirs', 91, 'ours')[0]?.met, true);
    assert.equal(withinShare(both, 'ours', 0.8, 'theirs')[0]?.met, false);
    assert.equal(withinShare(both, 'ours', 0.9, 'theirs')[0]?.met, true);
  });

  it('is absent when a peer did not run, or when the file is too small for it', () => {
    assert.deepEqual(atMost(both, 'ours', 1, 'missing'), []);
    const targets = atMost(both, 'ours', 1, 'theirs');
    assert.deepEqual(ofLarge(1 << 20, targets), []);
    assert.deepEqual(ofLarge(1 << 30, targets), targets);
  });
});
