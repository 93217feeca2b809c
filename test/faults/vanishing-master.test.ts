import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { heldUpAt } from './held-up.js';
import { committed, SCENES, type Scene, syncHere } from './scene.js';
import { needsStrace } from './strace.js';

const [append, firstCopy] = SCENES as [Scene, Scene];
/** Pauses a sync before its n-th read of the master. */
function heldUpAtRead(pair: Pair, scene: Scene, when: number, meanwhile: () => void, ...more: string[]) {
  const args = pair.syncArgs(...scene.args, ...more);
  return heldUpAt(pair, args, { call: 'pread64', path: pair.masterFile, when }, meanwhile);
}

async function assertRepairs(pair: Pair): Promise<void> {
  const next = await syncHere(pair);
  assert.equal(next.exitCode, 0, next.reason);
  pair.assertInStep();
  assert.equal((await syncHere(pair)).action, 'none');
}

describe('a master that vanishes during a read', { skip: needsStrace ?? false }, () => {
  for (const scene of [append, firstCopy]) {
    it(`its mount: ${scene.name}`, () =>
      withPair(async (pair) => {
        await scene.prepare(pair);
        const shown = existsSync(pair.slaveFile) ? committed(pair.slaveFile) : undefined;
        const run = await heldUpAtRead(pair, scene, 5, () => {
          // An unmounted path is an empty directory.
          renameSync(pair.master, `${pair.master}.away`);
          mkdirSync(pair.master);
        });
        assertEnd(run, { exit: 1, action: 'failed', reason: /^master out of reach: / });
        if (shown) assert.deepEqual(readFileSync(pair.slaveFile), shown);
        else assert.ok(!existsSync(pair.slaveFile));
        rmdirSync(pair.master);
        renameSync(`${pair.master}.away`, pair.master);
        await assertRepairs(pair);
      }));
  }

  it('its server: the read does not return, and the sync gives it up', () =>
    withPair(async (pair) => {
      await append.prepare(pair);
      const shown = committed(pair.slaveFile);
      const run = await heldUpAtRead(pair, append, 5, () => {}, '--timeout', '0.4');
      // Where Node cannot replace itself by another program, only SIGKILL ends a process with a hanging thread.
      assert.ok(run.exit === 1 || run.signal === 'SIGKILL', run.all);
      assert.equal(run.json.exitCode, 1);
      assert.match(run.json.reason, /^read .*Data\.fs at \d+: no progress for 0\.4 s.*\(ETIMEDOUT\)$/);
      assert.deepEqual(committed(pair.slaveFile), shown);
      await assertRepairs(pair);
    }));
});
