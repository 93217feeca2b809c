import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type BlobId, LAYOUT_FILE } from '../../src/blobs/layout.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd, assertNoCrash, Running } from '../support/cli.js';
import { argsOf, type BlobScene, syncOf } from './blob-scenes.js';
import { BlobTruth } from './blob-truth.js';
import { heldUpAt } from './held-up.js';
import { committed, inSmallChunks } from './scene.js';
import { needsStrace, traced } from './strace.js';

/** More blobs than are worked on at a time, so that some are not opened yet while others are read. */
const BLOBS = 12;
/** More than is read at once. */
const LARGE = 600_000;
const TIMEOUT = 0.4;
/** A sync that gives up ends before this. strace itself waits for the call. */
const HANG = 'delay_enter=2500ms';
const SOON_SECONDS = 2;
/** With all of them but one, more hang than are read at a time, and one is complete. */
const HANGING = [
  ['pread64', BLOBS - 1],
  ['openat', 2],
] as const;

const made = new WeakMap<BlobPair, BlobId[]>();

function commitMany(pair: BlobPair): void {
  pair.commit('a page before');
  const ids = pair.commitBlobs(
    ...Array.from({ length: BLOBS }, (_, n) => Buffer.alloc(n === 0 ? LARGE : 1000 + n, `blob ${n} `)),
  );
  made.set(pair, ids);
}

const SCENES: readonly BlobScene[] = [
  {
    name: 'append',
    args: inSmallChunks,
    withBlobs: true,
    async prepare(pair) {
      pair.commitBlobs('the first one');
      await syncOf(this, pair);
      commitMany(pair);
    },
  },
  { name: 'first copy', args: inSmallChunks, withBlobs: true, prepare: commitMany },
];

interface State {
  readonly pair: BlobPair;
  readonly truth: BlobTruth;
  /** The master's new blobs, in order. */
  readonly blobs: readonly string[];
  readonly ids: readonly BlobId[];
  readonly shown: Buffer | undefined;
}

async function inScene(scene: BlobScene, use: (state: State) => Promise<void>): Promise<void> {
  await withBlobPair(async (pair) => {
    await scene.prepare(pair);
    const shown = existsSync(pair.slaveFile) ? committed(pair.slaveFile) : undefined;
    const ids = made.get(pair) ?? [];
    const blobs = ids.map((id) => pair.onMaster(id));
    await use({ pair, truth: new BlobTruth(pair, shown), blobs, ids, shown });
  });
}

/** The slave shows what it showed before; the next sync repairs, and the one after that has nothing to do. */
async function assertUnharmed(scene: BlobScene, { pair, truth, shown }: State): Promise<void> {
  truth.assertFiles();
  if (shown) assert.deepEqual(readFileSync(pair.slaveFile), shown);
  else assert.ok(!existsSync(pair.slaveFile));
  if (shown) truth.assertShown(shown);
  const next = await syncOf(scene, pair);
  assert.equal(next.exitCode, 0, next.reason);
  pair.assertInStep();
  truth.assertInStep(committed(pair.masterFile));
  assert.equal((await syncOf(scene, pair)).action, 'none');
}

/** The same calls of all these paths hang. The program has its usual number of threads. */
async function withHanging(call: string, paths: readonly string[], args: readonly string[], directory: string) {
  const log = join(directory, 'trace');
  const through = [...traced({ log, calls: [call], paths }), '-e', `inject=${call}:${HANG}`, '--seccomp-bpf'];
  const run = await Running.start(args, { through }).end();
  // Where Node cannot replace itself by another program, only SIGKILL ends a process with a hanging thread.
  assert.ok(run.exit === 1 || run.signal === 'SIGKILL', run.all);
  if (run.signal === null) assertNoCrash(run);
  assert.equal(run.json.exitCode, 1);
  const { seconds } = run.json;
  assert.ok(seconds < SOON_SECONDS, `it gave up after ${seconds} s`);
  return run;
}

describe("a master's blob directory that vanishes during a copy", { skip: needsStrace ?? false }, () => {
  for (const scene of SCENES) {
    for (const emptyInItsPlace of [true, false]) {
      it(`its mount: ${scene.name}, ${emptyInItsPlace ? 'an empty directory' : 'nothing'} is in its place`, () =>
        inScene(scene, async (state) => {
          const { pair, blobs } = state;
          const away = `${pair.masterBlobs}.away`;
          const run = await heldUpAt(pair, argsOf(scene, pair), { call: 'pread64', path: blobs[0]!, when: 2 }, () => {
            renameSync(pair.masterBlobs, away);
            if (emptyInItsPlace) mkdirSync(pair.masterBlobs);
          });
          assertEnd(run, {
            exit: 1,
            action: 'failed',
            reason: /master's blob directory|blob directory .* does not exist/,
          });
          assert.ok(run.json.reason.includes(pair.masterBlobs), run.all);
          if (emptyInItsPlace) rmdirSync(pair.masterBlobs);
          renameSync(away, pair.masterBlobs);
          await assertUnharmed(scene, state);
        }));
    }

    for (const [call, count] of HANGING) {
      it(`its server: ${scene.name}, ${call} of ${count} blobs does not return`, () =>
        inScene(scene, async (state) => {
          const { pair, blobs } = state;
          const args = [...argsOf(scene, pair), '--timeout', String(TIMEOUT)];
          const run = await withHanging(call, blobs.slice(-count), args, pair.directory);
          assert.match(run.json.reason, /^(read|open) .*\.blob( at \d+)?: no progress for 0\.4 s.*\(ETIMEDOUT\)$/);
          await assertUnharmed(scene, state);
        }));
    }
  }

  it('a pack removes blobs while they are copied: the run starts over, and keeps none of them', () =>
    inScene(SCENES[0]!, async ({ pair, blobs, ids }) => {
      const run = await heldUpAt(pair, argsOf(SCENES[0]!, pair), { call: 'pread64', path: blobs[0]!, when: 2 }, () => {
        for (const [n, id] of ids.entries()) pair.edit(id, `the next contents ${n}`);
        assert.ok(pair.site.pack());
        for (const path of blobs) rmSync(path);
      });
      assertEnd(run, { exit: 0, action: 'rebuild' });
      new BlobTruth(pair, undefined).assertInStep(committed(pair.masterFile));
    }));

  it('its server: the run does not come to the first blob', () =>
    inScene(SCENES[0]!, async (state) => {
      const { pair } = state;
      const args = [...argsOf(SCENES[0]!, pair), '--timeout', String(TIMEOUT)];
      const run = await withHanging('openat', [join(pair.masterBlobs, LAYOUT_FILE)], args, pair.directory);
      assert.match(run.json.reason, /\.layout: no progress for 0\.4 s.*\(ETIMEDOUT\)$/);
      await assertUnharmed(SCENES[0]!, state);
    }));
});
