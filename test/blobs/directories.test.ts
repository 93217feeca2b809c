import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';

/** The scenarios of directories.py, which has their assertions: sites are written, and slaves judged, by a real ZODB. */
const SCENARIOS = {
  kept_file: 'what the master packs away stays for a file that is kept aside, and goes with it',
  tree_unmounted:
    '--blobs-by tree removes nothing, and shows nothing, while the directory of the master is not mounted',
  nested: 'one directory in the other is refused',
  replaced_tree: 'another tree in the place of the one on the slave is refused, or compared',
  misplaced: 'a blob in the other layout gets to where ZODB finds it',
  lost_layout: 'a lost .layout is named by verify, and written by sync and promote',
  removal_forbidden: 'a removal that is not allowed does not stop the replication',
  scrub_round: 'a rebuild begins a new round of the scrub',
} as const;

describe('blob directories, with a real ZODB:', { concurrency: 2 }, () => {
  for (const [scenario, title] of Object.entries(SCENARIOS))
    it(title, () =>
      withTempDir(async (directory) => {
        const args = ['-B', inProject('test', 'blobs', 'directories.py'), PROGRAM, directory, scenario];
        const { stderr } = await promisify(execFile)(python(), args);
        // ZODB warns of an old layout, which it takes a directory without .layout for.
        assert.equal(stderr.replace(/^.*(Warning|blob directory layout is deprecated).*$/gm, '').trim(), '');
      }),
    );
});
