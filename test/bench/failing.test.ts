import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Options } from '../../bench/options.js';
import { WrongResult } from '../../bench/race.js';
import { renderResults } from '../../bench/results.js';
import type { Row } from '../../bench/row.js';
import { measureAll } from '../../bench/suite.js';
import { withTempDir } from '../support/site.js';

const series = [{ name: 'one', timings: [{ seconds: 1, cpuSeconds: 1, peakBytes: 1 }] }];

function row(name: string, measure: Row['measure'], missing?: string): Row {
  return { name, media: ['disk'], missing: () => missing, measure };
}

describe('a run of the benchmarks', () => {
  it('continues after a row that fails, and names it and the omitted results', async () => {
    await withTempDir(async (diskDirectory) => {
      const wrong = row('wrong', async () => {
        throw new WrongResult('not the same: /a/path');
      });
      const rows = [wrong, row('missing', async () => ({ title: 'x', series, targets: [] }), 'it is not there')];
      const right = row('right', async () => ({ title: 'what is right', series, targets: [] }));
      const options: Options = {
        sizes: () => [1 << 16],
        rows: [...rows, right],
        media: ['disk'],
        diskDirectory,
        runs: 1,
        output: undefined,
      };
      const results = await measureAll(options, () => {}, new AbortController().signal);
      assert.deepEqual(results.failed, ['wrong, 64.0 KiB, disk: not the same: /a/path']);
      const page = renderResults(results);
      assert.match(page, /^\* missing: it is not there$/m);
      assert.match(page, /^\* wrong, 64.0 KiB, disk: failed$/m);
      assert.match(page, /^## what is right: 64.0 KiB, on disk$/m);
      assert.doesNotMatch(page, /a\/path/);
    });
  });

  it('ends when it is interrupted, and keeps its results', async () => {
    await withTempDir(async (diskDirectory) => {
      const stop = new AbortController();
      const kept: number[] = [];
      const first = row('first', async () => ({ title: 'x', series, targets: [] }));
      const run = measureAll(
        { sizes: () => [1 << 16, 1 << 17], rows: [first], media: ['disk'], diskDirectory, runs: 1, output: undefined },
        ({ measurements }) => {
          kept.push(measurements.length);
          stop.abort(new Error('broken off'));
        },
        stop.signal,
      );
      await assert.rejects(run, /broken off/);
      assert.deepEqual(kept, [1]);
    });
  });
});
