import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { run } from './syncer.js';

const SEED = 1;

/** Real ZODB writes, packs and undoes; it judges what is restored by the writer's notes and by loadBefore. */
describe('restore', () => {
  it('gives every object and blob as it was at the moment, also from before a pack, and while FILE is written to', () =>
    withTempDir(async (directory) => {
      const script = inProject('test', 'zodb', 'restore_site.py');
      const { exitCode, out, err } = await run(python(), ['-B', script, directory, String(SEED), 'node', PROGRAM]);
      assert.equal(exitCode, 0, out + err);
      const restored = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly source: string; readonly how: string });
      for (const source of [/^Data\.fs$/, /\.old$/, /\.only-here-/, /\.packed-/])
        assert.ok(
          restored.some((one) => source.test(one.source)),
          `${source}: ${out}`,
        );
      assert.equal(restored.filter(({ how }) => how === 'while it is written').length, 3);
    }));
});
