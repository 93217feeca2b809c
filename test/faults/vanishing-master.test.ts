import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertEnd, Running } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { committed, SCENES, type Scene, syncHere } from './scene.js';
import { injected, needsStrace, ONE_THREAD } from './strace.js';
import { parseTrace } from './trace.js';

const [append, firstCopy] = SCENES as [Scene, Scene];
/** Long enough to remove the master meanwhile. */
const DELAY = 'delay_enter=1500ms';

/** Pauses a sync before its n-th read of the master, calls `meanwhile`, and returns the sync's result. */
async function heldUpAt(pair: Pair, scene: Scene, when: number, meanwhile: () => void, ...more: string[]) {
  const log = join(pair.directory, 'trace');
  const injection = { call: 'pread64', path: pair.masterFile, when, what: DELAY };
  const through = injected(injection, { log, calls: ['pread64'] });
  const running = Running.start(pair.syncArgs(...scene.args, ...more), { through, env: ONE_THREAD });
  const reads = () => (existsSync(log) ? parseTrace(readFileSync(log, 'utf8')).length : 0);
  while (reads() < when - 1 && !running.ended) await sleep(5);
  assert.ok(!running.ended, 'the sync was met in its middle');
  meanwhile();
  return running.end();
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
        const run = await heldUpAt(pair, scene, 5, () => {
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
      const run = await heldUpAt(pair, append, 5, () => {}, '--timeout', '0.4');
      // Where Node cannot replace itself by another program, only SIGKILL ends a process with a hanging thread.
      assert.ok(run.exit === 1 || run.signal === 'SIGKILL', run.all);
      assert.equal(run.json.exitCode, 1);
      assert.match(run.json.reason, /^read .*Data\.fs at \d+: no progress for 0\.4 s.*\(ETIMEDOUT\)$/);
      assert.deepEqual(committed(pair.slaveFile), shown);
      await assertRepairs(pair);
    }));
});
