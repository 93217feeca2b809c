import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { needsStrace } from '../faults/strace.js';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';

/** The scenarios of rejoin.py, which has their assertions: the sites are written and read by a real ZODB. */
const SCENARIOS = {
  exchanged: 'the roles change again and again, with and without loss',
  killed: 'killed at moments spread over its time, the next run ends it',
  packed: 'the serving side was packed: refused, and done with --full',
  packed_here: 'the old master was packed: refused, and done with --full',
  others: 'swapped, not promoted, unrelated, damaged, empty and used sides are told apart',
  behind: 'an old backup of the old master has nothing of its own',
  in_flight: 'a transaction in flight is kept aside',
  split: 'both sides were promoted and have served',
  plain: 'no term says where the histories fork',
  served_by_mistake: 'a slave was served without a promotion',
  with_blobs: 'blobs below the fork stay, those of lost transactions are kept aside',
  index: 'a large slave that had nothing to copy has an index that ZODB uses',
  budget: 'hardly more is read of the serving side than the difference',
  mistakes: 'another site, another file, other blob directories: refused before anything is changed',
  blobs_left_out: 'blobs of what was lost that were not kept with it are named',
  server_between: 'a server was started before the rejoin had ended',
  report_after_pack: 'the report is true after a pack',
} as const;

describe('rejoin, with a real ZODB:', () => {
  for (const [scenario, title] of Object.entries(SCENARIOS))
    it(title, { skip: scenario === 'budget' && (needsStrace ?? false) }, () =>
      withTempDir(async (directory) => {
        const args = [inProject('test', 'rejoin', 'rejoin.py'), PROGRAM, directory, scenario];
        const { stderr } = await promisify(execFile)(python(), args);
        assert.equal(stderr.replace(/^.*Warning.*$/gm, '').trim(), '');
      }),
    );
});
