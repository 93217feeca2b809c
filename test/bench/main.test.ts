import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

const MAIN = inProject('dist', 'bench', 'main.js');

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

describe('npm run bench', () => {
  it('measures the requested rows, writes its page and its plot, and leaves no other file', async () => {
    await withTempDir((directory) => {
      const rows = ['--rows', 'full-copy,nothing-new,append', '--size', '1MiB,2MiB'];
      const run = bench(...rows, '--medium', 'disk', '--dir', directory, '--runs', '1', '--output', directory);
      assert.equal(run.status, 0, run.stderr);
      assert.deepEqual(readdirSync(directory).sort(), ['RESULTS.md', 'results.svg']);
      const page = readFileSync(`${directory}/RESULTS.md`, 'utf8');
      for (const size of ['1.0 MiB', '2.0 MiB']) {
        assert.match(page, new RegExp(`## full copy, .*: ${size}, on disk`));
        assert.match(page, new RegExp(`## nothing new: ${size}, on disk`));
        assert.match(page, new RegExp(`## append of a tail: ${size}, on disk`));
      }
      assert.match(
        page,
        /\| sync: at most 40 ms more than node -e 0 \| -?\d+ ms \(best runs: -?\d+ ms\) \| (yes|\*\*no\*\*) \|/,
      );
      assert.match(page, /\| sync \| \d+ \| \d+ – \d+ \|/);
      assert.match(readFileSync(`${directory}/results.svg`, 'utf8'), /<svg[\s\S]*full copy: sync[\s\S]*<\/svg>/);
    });
  });

  it('reports arguments that it does not understand', () => {
    for (const args of [['--size', 'x'], ['--rows', 'x'], ['--runs', '0'], ['--x'], ['more']]) {
      const run = bench(...args);
      assert.equal(run.status, 2, run.stderr);
      assert.match(run.stderr, /^usage: npm run bench/m);
    }
  });

  it('reports a missing directory of its page before it measures anything', async () => {
    await withTempDir((directory) => {
      for (const output of [`${directory}/none`, `${MAIN}/none`, MAIN]) {
        const run = bench(
          '--rows',
          'nothing-new',
          '--size',
          '1MiB',
          '--medium',
          'disk',
          '--dir',
          directory,
          '--output',
          output,
        );
        assert.equal(run.status, 2, run.stderr);
        assert.ok(run.stderr.startsWith(`--output: ${output} is no directory`), run.stderr);
        assert.deepEqual(readdirSync(directory), []);
      }
    });
  });
});
