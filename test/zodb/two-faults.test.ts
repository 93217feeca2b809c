import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { run } from './syncer.js';

interface Played {
  readonly scene: string;
  readonly ends: readonly (readonly [number, string, string])[];
  readonly markers: readonly string[];
  readonly kept: number;
}

/** Scenes that a tester with a fresh mind has found: each of them ended wrongly once. Real ZODB makes and judges them. */
describe('two faults at once', () => {
  let played: readonly Played[] = [];
  before(() =>
    withTempDir(async (directory) => {
      const script = inProject('test', 'zodb', 'two_faults.py');
      const { exitCode, out, err } = await run(python(), ['-B', script, join(directory, 'scene'), 'node', PROGRAM]);
      assert.equal(exitCode, 0, out + err);
      played = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Played);
    }),
  );

  const scenes = (part: string): readonly Played[] => {
    const found = played.filter(({ scene }) => scene.includes(part));
    assert.ok(found.length > 0, part);
    return found;
  };
  const exits = ({ ends }: Played): readonly number[] => ends.map(([exit]) => exit);

  it('a slave that was cut, served and damaged keeps its own transactions', () => {
    for (const scene of scenes('own transactions in a cut slave')) {
      assert.deepEqual(exits(scene), [0, 3]);
      assert.ok(['MARK-0900-', 'MARK-0901-'].every((marker) => scene.markers.includes(marker)));
    }
  });

  it('a bit of the slave that flips before the master is packed is no fork: the slave is rebuilt, and the old file kept', () => {
    const found = scenes(', and a pack').filter(({ scene }) => /bit in a (description|tid|oid)/.test(scene));
    assert.equal(found.length, 6);
    for (const scene of found) {
      assert.deepEqual(exits(scene), [0, 0, 0], JSON.stringify(scene.ends));
      assert.equal(scene.kept, 1);
    }
  });

  it('bytes of the master that a recorded hash proves wrong are not copied, not even with --full', () => {
    const [cut, unreadable] = scenes('rot of the master');
    assert.deepEqual(exits(cut!), [0, 4, 4]);
    assert.deepEqual(exits(unreadable!), [0, 4]);
  });

  it('a master that was packed once more is not called damaged because the slave is', () => {
    const found = [...scenes('packed before'), ...scenes('a cut slave, and a pack'), ...scenes('a flipped status')];
    for (const scene of found) {
      assert.deepEqual(exits(scene), [0, 0], JSON.stringify(scene.ends));
    }
  });

  it('--full over a slave with flipped bits copies a master that has what was copied', () => {
    for (const scene of scenes('two flipped bits')) assert.deepEqual(exits(scene), [0, 0], JSON.stringify(scene.ends));
  });
});
