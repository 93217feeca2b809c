import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withBlobPair } from '../support/blob-pair.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { listing } from '../support/pair.js';
import type { Ending } from './inject.js';
import { CALLS, ERRORS } from './points.js';
import { Takeover } from './rejoin-site.js';
import { injected, ONE_THREAD, traced } from './strace.js';
import type { Swept } from './sweep.js';
import { type Call, parseTrace, pathsGiven } from './trace.js';

/** A call of a rejoin: the `when`-th of its kind on a path, in the thread that makes the most of them. */
export interface RejoinPoint {
  /** In the directory of the test. */
  readonly path: string;
  readonly call: string;
  readonly when: number;
  readonly of: number;
}

export interface RejoinManner {
  readonly chosen: (point: RejoinPoint) => boolean;
  readonly everyError: boolean;
  readonly kill: boolean;
}

/** The lock's call is made by a child. */
const OF_A_CHILD = 'flock';
const SERVING_ROLE = 'slave/Data.fs.role';
const SYNC = /^f(data)?sync$/;

/** Every call of a rejoin on a file or a directory of the test. */
export async function pointsOfRejoin(): Promise<RejoinPoint[]> {
  const points: RejoinPoint[] = [];
  await withBlobPair(async (pair) => {
    const takeover = await Takeover.of(pair);
    const log = join(pair.directory, 'trace');
    const run = syncpozo(takeover.args, { through: traced({ log, calls: CALLS }), env: ONE_THREAD });
    assert.equal(run.exit, 0, run.all);
    takeover.assertNothingLost();
    takeover.assertRejoined();
    const counts = new Map<string, { path: string; call: string; most: Map<string, number> }>();
    for (const { thread, name: call, path } of parseTrace(readFileSync(log, 'utf8')).flatMap(withPath)) {
      const inside = takeover.relative(path);
      if (inside.startsWith('..') || /^(trace|status\.\d+\.tmp)$/.test(inside) || call === OF_A_CHILD) continue;
      const of = counts.get(`${call} ${inside}`) ?? { path: inside, call, most: new Map<string, number>() };
      of.most.set(thread, (of.most.get(thread) ?? 0) + 1);
      counts.set(`${call} ${inside}`, of);
    }
    for (const { path, call, most } of counts.values()) {
      const of = Math.max(...most.values());
      for (let when = 1; when <= of; when++) points.push({ path, call, when, of });
    }
  });
  return points;
}

function withPath(call: Call): { thread: string; name: string; path: string }[] {
  const { thread, name } = call;
  const path = pathsGiven(call)[0] ?? /^\d+<([^>]*)>/.exec(call.args)?.[1];
  return path?.startsWith('/') ? [{ thread, name, path }] : [];
}

/** Injects every chosen fault into a rejoin, one fault per run. */
export async function sweepRejoin({ chosen, everyError, kill }: RejoinManner): Promise<Swept> {
  const endings = new Map<Ending, number>();
  const wrong: string[] = [];
  const notable: string[] = [];
  let injections = 0;
  for (const [index, point] of (await pointsOfRejoin()).filter(chosen).entries()) {
    const errors = (ERRORS[point.call] ?? []).map((code) => `error=${code}`);
    const some = everyError ? errors : errors.slice(index % errors.length, (index % errors.length) + 1);
    for (const what of kill ? ['signal=SIGKILL'] : some) {
      injections++;
      const name = `${what} at ${point.call} ${point.when} of ${point.of} of ${point.path}`;
      try {
        const ending = await rejoinWithFault(point, what);
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
        if (ending === 'recovered') notable.push(name);
        if (ending === 'not met') wrong.push(`${name}: the run has not made this call`);
      } catch (error) {
        wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return { injections, endings, wrong, notable };
}

/** Asserts all that must hold after a rejoin with a fault in it: its report, that nothing is lost, and that the next one ends it. */
async function rejoinWithFault(point: RejoinPoint, what: string): Promise<Ending> {
  const { path, call, when } = point;
  let ending: Ending = 'not met';
  await withBlobPair(async (pair) => {
    const takeover = await Takeover.of(pair);
    const serving = () => [pair.slave, pair.slaveBlobs].map((directory) => listing(directory, { locks: true }));
    const before = serving();
    const log = join(pair.directory, 'trace');
    const through = injected({ call, path: join(pair.directory, path), when, what }, { log, calls: CALLS });
    const run = syncpozo(takeover.args, { through, env: ONE_THREAD });
    const isMet = parseTrace(readFileSync(log, 'utf8')).some((each) => each.injected);
    try {
      if (run.signal === 'SIGKILL') ending = 'killed';
      else if (isMet) ending = assertReported(run, takeover, point, what);
      takeover.assertNothingLost();
      const next = await takeover.rejoinHere();
      assert.equal(next.exitCode, 0, `the next rejoin: ${next.reason}`);
      takeover.assertNothingLost();
      takeover.assertRejoined(ending === 'killed');
      assert.deepEqual(serving(), before, 'the side that serves is as it was');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\n--- the faulty run\n${run.all}`);
    }
  });
  return ending;
}

function assertReported(run: Run, takeover: Takeover, { path, call, when }: RejoinPoint, what: string): Ending {
  assertNoCrash(run);
  const { exitCode, reason } = run.json;
  assert.equal(run.exit, exitCode, run.all);
  if (run.exit === 0) {
    assert.ok(!SYNC.test(call), 'exit 0, although a sync has failed');
    takeover.assertRejoined();
    return 'recovered';
  }
  // A role file of SLAVE that cannot be read is for a person, as in every command; and so is MASTER's in a round of a sync.
  const isForAPerson = path.endsWith('.role') && (path !== SERVING_ROLE || when > 1);
  assert.ok(run.exit === 1 || (isForAPerson && run.exit === 3), `a fault is reported as one: ${run.all}`);
  assert.ok(reason.includes(what.replace('error=', '')), `the reason has the error: ${reason}`);
  assert.ok(reason.includes(basename(path)), `the reason names ${path}: ${reason}`);
  return 'failed';
}

/** Reads that were not reported as they have to be. */
const READS: ReadonlySet<string> = new Set(['statx master', `openat ${SERVING_ROLE}`, `pread64 ${SERVING_ROLE}`]);
const CHANGES = /^(pwrite64|f(data)?sync|ftruncate|rename|link|unlink|mkdir)$/;
/** The other files are those of every sync, which has sweeps of its own. */
const OF_REJOIN = /^master(\/(Data\.fs(\.role\.tmp|\.tr0|\.index)?|lost.*))?$|^master-blobs\/.*\.blob$/;

/**
 * Of the calls that change a file or a directory of a rejoin the last one, and of the syncs of the slave's directory every other one:
 * all of one role in a blob directory count as one.
 */
export function oncePerFile(): (point: RejoinPoint) => boolean {
  const met = new Set<string>();
  return ({ path, call, when, of }) => {
    if (when === 1 && READS.has(`${call} ${path}`)) return true;
    if (!CHANGES.test(call) || !OF_REJOIN.test(path) || (call === 'unlink' && path.endsWith('tmp'))) return false;
    if (path === 'master' ? when % 2 === 0 : when !== of) return false;
    const key = `${call} ${path === 'master' ? when : path.replace(/(\/0x[0-9a-f]+)+/, '/0x')}`;
    if (met.has(key)) return false;
    met.add(key);
    return true;
  };
}
