import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { observeDisk } from '../../src/io/observer.js';
import { parseDat } from '../../src/standby/dat.js';
import { transactionEdges } from '../crash/edges.js';
import { inodeOf } from '../crash/record.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { assertEnd, type Run, syncpozo } from '../support/cli.js';
import { listing } from '../support/pair.js';
import { argsOf, type BlobScene, syncOf } from './blob-scenes.js';
import { BlobTruth } from './blob-truth.js';
import { CALLS, type Point } from './points.js';
import { committed, ONLY_HERE } from './scene.js';
import { injected, ONE_THREAD } from './strace.js';
import { type Call, failed, parseTrace, pathOfDescriptor, pathsGiven } from './trace.js';

/** How a run with a fault ended. */
export type Ending = 'recovered' | 'failed' | 'killed' | 'not met';

/** The state before the faulty run. */
interface Before {
  readonly pair: BlobPair;
  readonly scene: BlobScene;
  /** The bytes that a FileStorage showed of the slave; undefined without one. */
  readonly shown: Buffer | undefined;
  readonly claim: number | undefined;
  readonly master: Buffer;
  readonly blobs: BlobTruth;
}

/**
 * Runs a scene with one fault in it and asserts everything that must hold: the exit status and the reason (invariant 8),
 * the slave and its claim (invariants 1, 2 and 6), the master (invariant 7), and that the next sync repairs (invariant 4).
 *
 * @param what the fault in strace's syntax: `error=EIO`, `signal=SIGKILL`
 */
export async function runWithFault(scene: BlobScene, point: Point, what: string): Promise<Ending> {
  let ending: Ending = 'not met';
  await withBlobPair(async (pair) => {
    await scene.prepare(pair);
    const shown = readdirSync(pair.slave).includes('Data.fs') ? committed(pair.slaveFile) : undefined;
    const [claim, master] = [claimOf(pair)?.position, committed(pair.masterFile)];
    const before: Before = { pair, scene, shown, claim, master, blobs: new BlobTruth(pair, shown) };
    const masterListing = [pair.master, pair.masterBlobs].map((path) => listing(path));
    const log = join(pair.directory, 'trace');
    const injection = { call: point.call, path: point.path(pair), when: point.when, what };
    const through = injected(injection, { log, calls: CALLS });
    const run = syncpozo(argsOf(scene, pair), { through, env: ONE_THREAD });
    const calls = parseTrace(readFileSync(log, 'utf8'));
    const at = calls.findIndex((call) => call.injected);
    try {
      if (run.signal === 'SIGKILL' && what === 'signal=SIGKILL') ending = 'killed';
      else if (at < 0) ending = 'not met';
      else ending = assertReported(run, point, what, before);
      assertSlave(before);
      assert.deepEqual(
        [pair.master, pair.masterBlobs].map((path) => listing(path)),
        masterListing,
        'the master is as it was (invariant 7)',
      );
      const lost = ending === 'failed' && isSync(point.call) ? pathOfDescriptor(calls[at] as Call) : undefined;
      if (lost !== undefined) assertNoRetry(calls.slice(at + 1), lost, before);
      await assertRepairs(before, lost);
    } catch (error) {
      const trace = calls.map(({ name, args, result }) => `  ${name}(${args}) = ${result}`).join('\n');
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\n--- the faulty run\n${run.all}\n--- its calls\n${trace}`);
    }
  });
  return ending;
}

function isSync(call: string): boolean {
  return call === 'fsync' || call === 'fdatasync';
}

function claimOf(pair: BlobPair): { position: number; inode: string } | undefined {
  if (!readdirSync(pair.slave).includes('Data.fs.dat')) return undefined;
  const parsed = parseDat(readFileSync(pair.dat, 'utf8'));
  assert.ok('dat' in parsed, `the .dat is not complete: ${'problem' in parsed ? parsed.problem : ''}`);
  return { position: parsed.dat.claim.position, inode: parsed.dat.slaveInode };
}

/** After a fault the exit status is not 0, or the recovery is complete. */
function assertReported(run: Run, point: Point, what: string, { pair, scene, master, blobs }: Before): Ending {
  if (run.exit === 0) {
    assert.ok(!isSync(point.call), 'exit 0, although a sync has failed: what it was to make durable may be lost');
    assert.equal(run.signal, null, run.all);
    assert.ok(committed(pair.slaveFile).equals(master), 'exit 0, and the slave is not the master');
    assert.equal(claimOf(pair)?.position, master.length, 'exit 0, and not all is claimed');
    assert.equal(run.json.exitCode, 0);
    if (scene.withBlobs) blobs.assertInStep(master);
    return 'recovered';
  }
  assertEnd(run, { exit: 1, action: 'failed' });
  const code = what.replace('error=', '');
  const name = point.label === 'directory' ? pair.slave : basename(point.path(pair));
  assert.ok(run.json.reason.includes(name), `the reason names ${name}: ${run.json.reason}`);
  if (point.call !== 'flock') assert.match(run.json.reason, new RegExp(`\\(${code}\\)$`), run.all);
  if (point.call !== 'flock') assert.ok(run.json.hint, `there is a hint: ${run.json.reason}`);
  return 'failed';
}

/** The slave shows the state before or after, and its claim is true. */
function assertSlave({ pair, scene, shown, master, claim: claimBefore, blobs }: Before): void {
  blobs.assertFiles();
  const there = readdirSync(pair.slave);
  if (!there.includes('Data.fs')) {
    assert.equal(shown, undefined, 'the slave is gone (invariant 6)');
    return;
  }
  const now = committed(pair.slaveFile);
  // Bytes beyond the claim may be truncated: they are not verified.
  const states = [master, shown, claimBefore === undefined ? undefined : shown?.subarray(0, claimBefore)];
  assert.ok(
    states.some((state) => state?.equals(now)),
    `the slave shows ${now.length} bytes, neither the state before nor the one after (invariant 6)`,
  );
  const claim = claimOf(pair);
  const bytes = readFileSync(pair.slaveFile);
  if (claim && claim.inode === inodeOf(pair.slaveFile)) {
    const claimed = bytes.subarray(0, claim.position);
    assert.equal(claimed.length, claim.position, 'the slave has what is claimed (invariant 1)');
    assert.ok(transactionEdges(bytes).includes(claim.position), 'the claim is a boundary (invariant 2)');
    const known = [master, shown ?? Buffer.alloc(0)];
    assert.ok(
      known.some((each) => each.subarray(0, claim.position).equals(claimed)),
      'what is claimed is the master (invariant 1)',
    );
  }
  if (scene.withBlobs) blobs.assertShown(now);
  if (scene.keepsOwn && shown) assertKept(pair, shown);
}

function assertKept(pair: BlobPair, own: Buffer): void {
  const kept = readdirSync(pair.slave).some((name) =>
    readFileSync(join(pair.slave, name)).subarray(0, own.length).equals(own),
  );
  assert.ok(kept, "the slave's own transactions are gone, which exist nowhere else");
}

/** After a failed sync that file is neither written nor synced again, and nothing is claimed. */
function assertNoRetry(after: readonly Call[], path: string, { pair, claim }: Before): void {
  const again = after.filter(
    (call) => pathOfDescriptor(call) === path && (isSync(call.name) || /write/.test(call.name)),
  );
  if (path !== pair.slave) assert.deepEqual(again, [], 'nothing is tried again after a failed sync');
  const published = after.filter((call) => call.name === 'rename' && !failed(call) && pathsGiven(call)[1] === pair.dat);
  assert.deepEqual(published, [], 'nothing is claimed after a failed sync');
  if (path === pair.slaveFile) assert.equal(claimOf(pair)?.position, claim, 'the claim has not moved');
}

/** The next sync brings the slave in step, and the one after that writes nothing. */
async function assertRepairs(before: Before, lost: string | undefined): Promise<void> {
  const { pair, scene, shown, master, claim, blobs } = before;
  const stillOwn = scene.keepsOwn && shown && committed(pair.slaveFile).equals(shown);
  const written: [number, number][] = [];
  const synced = new Set<string>();
  let operations: string[] = [];
  observeDisk((operation) => {
    const path = 'path' in operation ? operation.path : operation.to;
    if (!/\.(lock|outcome|outcome\.tmp)$/.test(path)) operations.push(operation.kind);
    if (/^sync/.test(operation.kind)) synced.add(path);
    if (operation.kind === 'write' && operation.path === pair.slaveFile) {
      written.push([operation.position, operation.position + operation.bytes.length]);
    }
  });
  try {
    const next = await syncOf(scene, pair, stillOwn === true);
    assert.equal(next.exitCode, 0, `the next sync: ${next.reason}`);
    assert.ok(
      readFileSync(pair.slaveFile).equals(master),
      `after the next sync (${next.action}) the slave is the master`,
    );
    if (lost === pair.slaveFile && claim !== undefined && next.action !== 'rebuild') {
      assert.ok(covers(written, claim, master.length), `what a failed sync may have lost is written again: ${written}`);
    }
    if (scene.withBlobs) blobs.assertInStep(master);
    if (lost?.startsWith(pair.slaveBlobs)) assert.ok(synced.has(lost), `${lost} is made durable again`);
    operations = [];
    const last = await syncOf(scene, pair);
    assert.equal(last.exitCode, 0, last.reason);
    assert.equal(last.action, 'none', last.reason);
    assert.deepEqual(operations, [], 'the sync after the next writes nothing but its outcome');
  } finally {
    observeDisk(undefined);
  }
  if (scene.keepsOwn && shown) assertKept(pair, shown);
  const strange = readdirSync(pair.slave).filter(
    (name) =>
      !/^Data\.fs(\.dat|\.lock|\.role|\.outcome|\.events|\.index)?$/.test(name) &&
      !(scene.withBlobs && name === 'Data.fs.blobs') &&
      !(scene.keepsOwn && name.startsWith(ONLY_HERE)),
  );
  assert.deepEqual(strange, [], 'nothing is left behind');
}

/** Whether the ranges together cover all of [from, to). */
function covers(ranges: readonly (readonly [number, number])[], from: number, to: number): boolean {
  let reached = from;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b))
    if (start <= reached) reached = Math.max(reached, end);
  return reached >= to;
}
