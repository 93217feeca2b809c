import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { run } from './syncer.js';

const HISTORIES = 20;

describe('restore, of random histories', () => {
  const first = Number(process.env['SYNCPOZO_SEED'] ?? Math.floor(Math.random() * 1e6));
  for (let seed = first; seed < first + HISTORIES; seed++) {
    it(`of seed ${seed}`, () =>
      withTempDir(async (directory) => {
        const script = inProject('test', 'zodb', 'restore_site.py');
        const { exitCode, out, err } = await run(python(), ['-B', script, directory, String(seed), 'node', PROGRAM]);
        assert.equal(exitCode, 0, out + err);
      }));
  }
});
