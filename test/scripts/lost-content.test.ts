import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProject } from '../support/root.js';
import { venvProgram } from '../support/venv.js';
import { run, scratch, scripts } from './shell.js';

const SCENES = {
  lists: 'lost-content.py lists what was lost, and what became of it on the serving side',
  copies: 'lost-content.py copies lost objects with blobs into new oids, and overwrites nothing',
  refuses: 'lost-content.py refuses what would not be what the old master had, and writes nothing',
  packed: 'lost-content.py takes the state at the fork from a base where a pack has removed it',
  exports: 'lost-content.py exports what Connection.importFile reads',
  served: 'lost-content.py works through ZEO beside another client',
} as const;

for (const [scene, title] of Object.entries(SCENES)) {
  test(title, async (t) => {
    const judge = inProject('test', 'scripts', 'lost_content_judge.py');
    const program = `${scripts}/lost-content.py`;
    const { status, stderr } = await run(venvProgram('python'), [judge, program, scratch(t), scene]);
    assert.equal(status, 0, stderr);
  });
}
