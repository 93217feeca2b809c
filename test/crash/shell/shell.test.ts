import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsStrace } from '../../faults/strace.js';
import { scratch, scripts } from '../../scripts/shell.js';
import { outOfOrder, placesOfSyncs, withoutSyncs, writeMutant } from './mutants.js';
import { cuts, play, problemsOf } from './play.js';
import { SCENES } from './scenes.js';

for (const scene of SCENES) {
  test(`${scene.name}: a power cut leaves the old state or the new one`, { skip: needsStrace }, (t) => {
    const root = join(scratch(t), 'root');
    mkdirSync(root);
    const played = play(scene, root, scripts);
    assert.deepEqual(problemsOf(scene, played, root), []);
    t.diagnostic(`${played.recorded.changes.length} changes, ${[...cuts(played)].length} states`);
  });
}

test('the scripts sync in no form that the mutants below do not know', () => {
  const known = new Set(withoutSyncs().map(({ name }) => name.split(' ')[0]));
  assert.deepEqual(
    placesOfSyncs().filter((place) => !known.has(place)),
    [],
  );
  assert.ok(known.size > 7, `${known.size} places`);
});

for (const mutant of [...withoutSyncs(), ...outOfOrder()]) {
  test(`a scene fails with ${mutant.name}`, { skip: needsStrace }, (t) => {
    const directory = scratch(t);
    const mutated = writeMutant(mutant, join(directory, 'scripts'));
    const scenes = SCENES.filter(({ scripts }) => scripts.includes(mutant.script));
    const killed = scenes.some((scene, at) => {
      const root = join(directory, `${at}`);
      mkdirSync(root);
      const [problem] = problemsOf(scene, play(scene, root, mutated), root, true);
      if (problem !== undefined) t.diagnostic(`${scene.name}: ${problem}`);
      return problem !== undefined;
    });
    assert.ok(killed, `${scenes.length} scenes pass`);
  });
}
