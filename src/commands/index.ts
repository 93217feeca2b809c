import { formatTid, tidToIso } from '../filestorage/tid.js';
import { type FileIndexed, indexFile } from '../index/index-of-file.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { AdaptiveSource } from '../pipeline/adaptive-source.js';
import { Exchanged } from '../pipeline/copy.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import type { Log } from '../report/log.js';
import { EXIT, type ExitCode, exitOfError, hintOf } from '../round/exit.js';
import { workersOf } from '../round/workers.js';
import { refuseOpened, SlaveInUse } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { PathMistake, slavePaths } from '../standby/paths.js';

export interface IndexOptions {
  /** Data directory, or the path of the file itself. */
  readonly path: string;
  readonly file?: string | undefined;
  readonly workers: number | undefined;
  readonly chunkBytes: number;
  readonly log: Log;
  readonly deadline: ReadDeadline;
  readonly onProgress?: ((position: number, size: number) => void) | undefined;
}

/** The JSON object of `syncpozo index --json`. Fields are only ever added. null: not known. */
export interface IndexResult {
  /** `none`: the existing index covers everything, or there is no record to cover. */
  readonly action: 'none' | 'refreshed' | 'built' | 'refused' | 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly path: string;
  readonly index: string | null;
  readonly size: number | null;
  /** Position up to which the index covers the file, and the tid of the transaction that ends there. */
  readonly committedEnd: number | null;
  readonly lastTid: string | null;
  readonly lastTime: string | null;
  readonly objects: number | null;
  /** Bytes of the file that were read to build it. */
  readonly read: number;
  /** What follows the last complete transaction of the file. */
  readonly tail: 'clean' | 'in-flight' | 'torn' | null;
  readonly damage: {
    readonly position: number;
    readonly at: number;
    readonly rule: string;
    readonly message: string;
  } | null;
  readonly seconds: number;
}

const WINDOW_BYTES = 1 << 20;

/** Builds or refreshes `Data.fs.index`, as `syncpozo index` does. Returns faults as a result; throws none. */
export async function runIndex(options: IndexOptions): Promise<IndexResult> {
  const began = performance.now();
  const result = await indexed(options);
  return { ...result, seconds: Math.round(performance.now() - began) / 1000 };
}

async function indexed(options: IndexOptions): Promise<IndexResult> {
  const { log } = options;
  let path = options.path;
  try {
    const paths = slavePaths(options.path, options.file);
    path = paths.data;
    if (!factsOfPath(path))
      throw new PathMistake(`${path} does not exist`, 'name a Data.fs, or the directory that holds one');
    const lock = Lock.take(paths.lock, paths.directoryFacts);
    if (lock.kind === 'other') {
      const hint = 'a server that is running keeps its index itself, and saves it when it is stopped';
      return refused(EXIT.inUse, `${path} is in use by another program (${lock.holder})`, hint);
    }
    if (lock.kind === 'syncpozo') return refused(EXIT.fault, `another syncpozo is at work on ${path}`, 'try again');
    const { deadline, chunkBytes, onProgress = () => {} } = options;
    const source = new AdaptiveSource(new Window(WINDOW_BYTES), workersOf(options.workers), deadline, {
      chunkBytes,
      onProgress,
    });
    try {
      refuseOpened(paths);
      return report(await indexFile(paths, source, deadline), paths.index);
    } finally {
      await source.close();
      lock.lock.release();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const foreseen = [IoFault, PathMistake, SlaveInUse, Exchanged, Interrupted].some((kind) => error instanceof kind);
    if (!foreseen) throw error;
    return refused(exitOfError(error), error.message, hintOf(error));
  }

  function report(outcome: FileIndexed, index: string): IndexResult {
    switch (outcome.kind) {
      case 'unfit':
        return refused(
          EXIT.damaged,
          outcome.reason,
          'FILE has to be a Data.fs of ZODB, or the directory that holds one',
        );
      case 'damaged': {
        const { position, at, rule, message } = outcome.damage;
        const hint =
          rule === 'hash'
            ? `no index was written; while it is a slave, the bytes are repaired by: syncpozo sync MASTER ${path} --scrub full`
            : "no index was written; check the file with ZODB's fstest";
        log.error({ path, position, at, rule, hint }, `${path} is damaged at position ${position}: ${message}`);
        const reason = `the file is damaged at position ${position}: ${message}`;
        return { ...plain('failed', EXIT.damaged, reason, hint), damage: { position, at, rule, message } };
      }
      case 'done':
        return done(outcome, index);
    }
  }

  function done({ made, size, tail }: FileIndexed & { kind: 'done' }, index: string): IndexResult {
    const { action, resume, read, problem } = made;
    const objects = made.index.size;
    if (problem) log.warn({ path: index }, `the index is rebuilt: ${problem}`);
    if (tail !== 'clean') log.warn({ path, tail }, `the file does not end at ${resume.position}, where the index does`);
    const covers =
      objects === 0 ? 'no transaction has a record, so no index is due' : 'the index covers the whole file';
    const reason = action === 'none' ? covers : `the index is ${action}`;
    log.info({ path: index, objects, committedEnd: resume.position, read }, reason);
    return {
      ...plain(action, EXIT.ok, reason),
      index,
      size,
      committedEnd: resume.position,
      lastTid: formatTid(resume.tid),
      lastTime: tidToIso(resume.tid),
      objects,
      read,
      tail: tail === 'damaged' ? null : tail,
    };
  }

  function refused(exitCode: ExitCode, reason: string, hint?: string): IndexResult {
    log.error({ path, exitCode, ...(hint && { hint }) }, reason);
    return plain(exitCode === EXIT.inUse ? 'refused' : 'failed', exitCode, reason, hint);
  }

  function plain(action: IndexResult['action'], exitCode: ExitCode, reason: string, hint?: string): IndexResult {
    return {
      action,
      reason,
      hint: hint ?? null,
      exitCode,
      path,
      index: null,
      size: null,
      committedEnd: null,
      lastTid: null,
      lastTime: null,
      objects: null,
      read: 0,
      tail: null,
      damage: null,
      seconds: 0,
    };
  }
}
