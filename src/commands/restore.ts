import { basename, dirname, join, resolve } from 'node:path';
import type { Moment } from '../extract/moment.js';
import { type Restored, type RestoreRequest, restore } from '../extract/restore.js';
import { factsBehindPath, factsOfPath, realPath } from '../io/facts.js';
import { AdaptiveSource } from '../pipeline/adaptive-source.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import type { Log } from '../report/log.js';
import { exitOfError, hintOf, isForeseen } from '../round/exit.js';
import { workersOf } from '../round/workers.js';
import { DEFAULT_FILE, masterPath, PathMistake } from '../standby/paths.js';
import { endedResult, failedResult, type RestoreResult } from './restore-result.js';

export interface RestoreOptions {
  /** A Data.fs, or the directory that holds it. */
  readonly path: string;
  readonly dest: string;
  readonly moment: Moment;
  readonly file?: string | undefined;
  readonly dryRun?: boolean;
  readonly blobs?: { readonly from: string; readonly to: string } | undefined;
  readonly copyBlobs?: boolean;
  readonly workers: number | undefined;
  readonly chunkBytes: number;
  readonly log: Log;
  readonly deadline: ReadDeadline;
  readonly onProgress?: ((position: number, size: number) => void) | undefined;
  readonly onFiles?: RestoreRequest['onFiles'] | undefined;
}

const WINDOW_BYTES = 1 << 20;

/** Writes the state of a moment to a new file, as `syncpozo restore` does. Returns faults as a result; throws none. */
export async function runRestore(options: RestoreOptions): Promise<RestoreResult> {
  const began = performance.now();
  const { log, moment, dryRun = false } = options;
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  let asked = { file: options.path, dest: options.dest, until: moment, dryRun };
  try {
    const dest = destOf(options.dest, options.file);
    asked = { ...asked, dest };
    const path = await fileOf(options);
    asked = { ...asked, file: path };
    const blobs = options.blobs && {
      from: options.blobs.from,
      to: resolve(options.blobs.to),
      copies: options.copyBlobs === true,
    };
    refuseNames(path, dest, blobs);
    const restored = await stateOf(path, dest, blobs, options);
    return endedResult(restored, { ...asked, blobs: blobs?.to }, seconds(), log);
  } catch (error) {
    if (!(isForeseen(error) || error instanceof Interrupted)) throw error;
    return failedResult(
      asked,
      { exitCode: exitOfError(error), reason: error.message, hint: hint(error) },
      seconds(),
      log,
    );
  }
}

async function stateOf(
  path: string,
  dest: string,
  blobs: RestoreRequest['blobs'],
  options: RestoreOptions,
): Promise<Restored> {
  const { moment, dryRun = false, deadline, chunkBytes, onProgress = () => {}, onFiles = () => {} } = options;
  const window = new Window(WINDOW_BYTES);
  const source = new AdaptiveSource(window, workersOf(options.workers, 1), deadline, { chunkBytes, onProgress });
  try {
    return await restore({ path, dest, moment, dryRun, blobs, onFiles, source, deadline });
  } finally {
    await source.close();
  }
}

async function fileOf({ path: given, file }: RestoreOptions): Promise<string> {
  const path = await masterPath(given, file);
  const facts = await factsBehindPath(path);
  if (facts === undefined)
    throw new PathMistake(`${path} does not exist`, 'name a Data.fs, or the directory that holds one');
  if (facts.kind !== 'file') throw new PathMistake(`${path} is a ${facts.kind}`, 'name a Data.fs, or its directory');
  return realPath(path) ?? path;
}

/** A directory that exists gets a Data.fs; any other path is that of the new file. */
function destOf(given: string, file: string | undefined): string {
  if (given === '') throw new PathMistake('a path is empty', 'is a variable of a script not set?');
  const path = resolve(given);
  const real = realPath(path);
  const isDirectory = real !== undefined && factsOfPath(real)?.kind === 'directory';
  const dest = isDirectory
    ? join(real, file ?? DEFAULT_FILE)
    : join(realPath(dirname(path)) ?? dirname(path), basename(path));
  if (factsOfPath(dest)) {
    const advice = 'name one that does not exist: it can be put in place when somebody has looked into it';
    throw new PathMistake(`${dest} exists, and is not replaced`, advice);
  }
  const parent = realPath(dirname(dest));
  if (parent === undefined || factsOfPath(parent)?.kind !== 'directory')
    throw new PathMistake(
      `the directory ${dirname(dest)} does not exist`,
      'is its disk mounted? If it is, make it first',
    );
  if (given.endsWith('/') && !isDirectory)
    throw new PathMistake(`the directory ${path} does not exist`, `make it first, or name a file, as ${path}`);
  return dest;
}

/** Names of the new files that are those of other files. */
function refuseNames(path: string, dest: string, blobs: { readonly from: string; readonly to: string } | undefined) {
  const index = `${dest}.index`;
  const there = factsOfPath(index);
  if (there && (there.kind !== 'file' || there.inode === factsOfPath(path)?.inode)) {
    const what = there.kind === 'file' ? 'FILE' : `a ${there.kind}`;
    throw new PathMistake(`${index} is ${what}, and the index of ${dest} needs this name`, 'name another DEST');
  }
  if (!blobs) return;
  const to = join(realPath(dirname(blobs.to)) ?? dirname(blobs.to), basename(blobs.to));
  if (to === dest || to === index)
    throw new PathMistake(`${to} is the name of the new file, or of its index`, 'name another directory for its blobs');
  const from = realPath(resolve(blobs.from));
  if (from !== undefined && `${to}/`.startsWith(`${from}/`) && to !== from)
    throw new PathMistake(
      `${to} lies in the blob directory ${from}`,
      'name a directory outside of it: --blobs DIR:DEST_DIR',
    );
}

const NO_ROOM = 'make room on the file system of DEST; nothing of it is left there';

function hint(error: Error): string | undefined {
  const isFull = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return isFull ? NO_ROOM : error instanceof Interrupted ? undefined : hintOf(error);
}
