import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acrossSizes } from '../../bench/growth.js';
import { plot } from '../../bench/plot.js';
import type { Measurement } from '../../bench/row.js';

const MIB = 1 << 20;

function measured(mebibytes: number, seconds: number, peakMebibytes: number, cpSeconds = seconds): Measurement {
  const timings = (all: number) => [{ seconds: all, cpuSeconds: all, peakBytes: peakMebibytes * MIB }];
  return {
    row: 'full-copy',
    medium: 'memory',
    bytes: mebibytes * MIB,
    title: 'full copy',
    series: [
      { name: 'sync', timings: timings(seconds) },
      { name: 'cp', timings: timings(cpSeconds) },
    ],
    targets: [],
  };
}

describe('the plot', () => {
  it('has a line for each contender, whose points rise to the right', () => {
    const svg = plot([measured(64, 0.3, 60), measured(512, 1, 60), measured(2048, 4, 60)]);
    const lines = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map((match) => match[1]!);
    assert.equal(lines.length, 2);
    const points = lines[0]!.split(' ').map((point) => point.split(',').map(Number));
    assert.equal(points.length, 3);
    for (const [n, [x, y]] of points.entries()) {
      assert.ok(x! > 0 && y! > 0);
      if (n > 0) assert.ok(x! > points[n - 1]![0]! && y! < points[n - 1]![1]!);
    }
    for (const label of ['in memory; full lines: syncpozo', 'full copy: sync', '64.0 MiB', '2.0 GiB'])
      assert.ok(svg.includes(`>${label}<`));
  });

  it('is drawn for one size as well', () => {
    assert.doesNotMatch(plot([measured(64, 0.3, 60)]), /NaN|Infinity/);
  });
});

describe('the growth', () => {
  it('is computed from 512 MiB on, beside a copy by cp', () => {
    const linear = acrossSizes([measured(64, 9, 60, 1), measured(512, 1, 100, 1), measured(2048, 4.4, 105, 4)]);
    assert.deepEqual(
      linear.map(({ measured, met }) => [measured, met]),
      [
        ['1.10 times', true],
        ['105 MiB', true],
        ['1.05 times', true],
      ],
    );
    const worse = acrossSizes([measured(512, 1, 100, 1), measured(2048, 8, 250, 4)]);
    assert.deepEqual(
      worse.map(({ measured, met }) => [measured, met]),
      [
        ['2.00 times', false],
        ['250 MiB', false],
        ['2.50 times', false],
      ],
    );
  });

  it('has no text for one size, except for its memory', () => {
    assert.deepEqual(acrossSizes([measured(64, 1, 60)]), []);
    assert.equal(acrossSizes([measured(512, 1, 60)]).length, 1);
  });
});
