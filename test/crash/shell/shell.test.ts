import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsStrace } from '../../faults/strace.js';
import { scratch, scripts } from '../../scripts/shell.js';
import { cuts, play, problemsOf } from './play.js';
import { SCENES } from './scenes.js';

for (const scene of SCENES) {
  test(`${scene.name}: whatever a power cut leaves is the old state or the new one`, { skip: needsStrace }, (t) => {
    const root = join(scratch(t), 'root');
    mkdirSync(root);
    const played = play(scene, root, scripts);
    assert.deepEqual(problemsOf(scene, played, root), []);
    t.diagnostic(`${played.recorded.changes.length} changes, ${[...cuts(played)].length} states`);
  });
}
