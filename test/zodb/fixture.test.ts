import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type FixtureOptions, SITE } from '../../bench/fixture/options.js';
import { EVERYTHING, grown } from '../support/fixtures.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';

const CASES: readonly (readonly [string, FixtureOptions, readonly number[]])[] = [
  ['the site of the benchmarks', SITE, [20_000_000]],
  ['one grown by appends', SITE, [3_000_000, 4_000_000, 4_000_500]],
  ['everything close together', EVERYTHING, [8_000_000]],
  ['single small records', { ...SITE, recordsPerTransaction: 1, sizes: { kind: 'fixed', length: 1 } }, [1_000_000]],
];

describe('ZODB accepts a fixture as one of its own files', () => {
  for (const [name, options, sizes] of CASES) {
    it(name, async () => {
      const { bytes, facts } = grown(options, sizes);
      const verdict = await withTempDir((directory) => {
        const path = join(directory, 'Data.fs');
        writeFileSync(path, bytes);
        const run = spawnSync(python(), [inProject('test', 'zodb', 'fixture_judge.py'), path], { encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
        return JSON.parse(run.stdout);
      });
      const { opened, packed, reachable, undone, uncreated, ...found } = verdict;
      assert.deepEqual(found, facts);
      assert.equal(opened, facts.size);
      assert.ok(packed < facts.size, `packed to ${packed}`);
      // All but blobs without a holder and orphans.
      assert.ok(reachable > 0.95 * facts.objects, `${reachable} of ${facts.objects} objects`);
      assert.ok(undone > 0 && uncreated > 0, JSON.stringify(verdict));
    });
  }
});
