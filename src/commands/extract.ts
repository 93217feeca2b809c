import { basename, dirname, join, resolve } from 'node:path';
import { keepLostBlobs, type LostBlobs } from '../extract/lost-blobs.js';
import { makeNewFile } from '../extract/new-file.js';
import { RangeDamaged } from '../extract/range.js';
import { type ThinFile, writeUnnamed } from '../extract/thin-file.js';
import { findTidRange } from '../extract/tid-range.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { factsOfPath, realPath } from '../io/facts.js';
import { copiedOwnership } from '../io/ownership.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import { formatCount } from '../report/numbers.js';
import { formatBytes } from '../report/size.js';
import { EXIT, type ExitCode } from '../round/exit.js';
import { findSide } from '../round/find-master.js';
import { fileOf, nameInDirectory, PathMistake } from '../standby/paths.js';
import { openData } from './open-data.js';

export interface ExtractOptions {
  /** Data directory, or the path of the file itself. */
  readonly file: string;
  /** The file's name in a directory. */
  readonly name: string | undefined;
  readonly dest: string;
  readonly from: bigint;
  readonly to: bigint | undefined;
  /** The blob directory of the file, and the one to make. */
  readonly blobs: { readonly master: string; readonly slave: string } | undefined;
  readonly deadline: ReadDeadline;
}

/** The JSON object of `syncpozo extract --json`. Fields are only ever added. null: none. */
export interface ExtractResult {
  readonly action: 'extracted' | 'refused' | 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  /** The file that was read. */
  readonly file: string;
  /** The file that was made. */
  readonly dest: string | null;
  readonly transactions: number;
  readonly objects: number;
  readonly bytes: number;
  readonly firstTid: string | null;
  readonly firstTime: string | null;
  readonly lastTid: string | null;
  readonly lastTime: string | null;
  /** Blobs that the transactions name. */
  readonly blobsNamed: number;
  /** null: without --blobs. */
  readonly blobs: {
    readonly directory: string;
    readonly files: number;
    readonly bytes: number;
    /** Blobs of which the directory has no file. */
    readonly missing: number;
  } | null;
  readonly damage: {
    readonly position: number;
    readonly at: number;
    readonly rule: string;
    readonly message: string;
  } | null;
  readonly seconds: number;
}

const WINDOW_BYTES = 1 << 20;

/** Makes a file of some transactions, as `syncpozo extract` does. FILE is only read; no lock is taken. */
export async function runExtract(options: ExtractOptions): Promise<ExtractResult> {
  const began = performance.now();
  const dest = newPath(options.dest, 'DEST');
  const blobs = options.blobs && { master: options.blobs.master, slave: newBlobs(options.blobs) };
  if (blobs?.slave === dest) throw new PathMistake(`DEST and DEST_DIR are both ${dest}`, 'name another DEST_DIR');
  const side = await findSide(options.file, options.name, options.deadline);
  const path = fileOf(side, nameInDirectory(options.name, side));
  const file = await openData(path, options.deadline);
  try {
    const result = await extracted(file, { ...options, dest, blobs });
    return { ...result, seconds: Math.round(performance.now() - began) / 1000 };
  } catch (error) {
    if (!(error instanceof RangeDamaged)) throw error;
    const { position, at, rule, problem } = error;
    const hint = `nothing was written; syncpozo verify ${path} shows all that is wrong`;
    const plain = nothing(path, 'failed', EXIT.damaged, error.message, hint);
    return { ...plain, damage: { position, at, rule, message: problem } };
  } finally {
    file.close();
  }
}

/** The path of something that is to be made: nothing may be there, in a directory that exists. */
function newPath(given: string, what: string): string {
  if (given === '') throw new PathMistake(`${what} is empty`, 'is a variable of a script not set?');
  const directory = realPath(dirname(resolve(given)));
  if (directory === undefined || factsOfPath(directory)?.kind !== 'directory')
    throw new PathMistake(`the directory ${dirname(resolve(given))} does not exist`, 'make it first');
  const path = join(directory, basename(resolve(given)));
  if (factsOfPath(path))
    throw new PathMistake(`${path} exists, and is not replaced`, `name another ${what}, or remove it yourself`);
  return path;
}

function newBlobs({ master, slave }: { readonly master: string; readonly slave: string }): string {
  const path = newPath(slave, 'DEST_DIR');
  const tree = realPath(resolve(master));
  if (tree !== undefined && `${path}/`.startsWith(`${tree}/`))
    throw new PathMistake(`${path} lies in the blob directory ${tree}`, 'name a DEST_DIR outside of it');
  return path;
}

async function extracted(file: Master, options: ExtractOptions): Promise<ExtractResult> {
  const { dest, from, to, deadline } = options;
  const { path } = file;
  const window = new Window(WINDOW_BYTES);
  const range = await findTidRange(file, window, { from, to });
  if (range === undefined) {
    const limits = `${formatTid(from)} or newer${to === undefined ? '' : `, and ${formatTid(to)} or older`}`;
    const hint = `syncpozo log ${path} shows what it has`;
    return nothing(path, 'refused', EXIT.refused, `no transaction of ${path} is ${limits}`, hint);
  }
  const directory = factsOfPath(dirname(dest)) ?? { uid: 0, gid: 0 };
  const owner = copiedOwnership(file.facts, directory);
  const request = { ...range, owner, window, signal: deadline.signal };
  return makeNewFile(dest, async (temporary) => {
    const thin = await writeUnnamed(request, temporary);
    return report(path, { ...thin, path: dest }, await blobsOf(thin, options), options);
  });
}

async function blobsOf(thin: Pick<ThinFile, 'blobs'>, { blobs, deadline }: ExtractOptions) {
  return blobs && keepLostBlobs({ tree: blobs.master, ids: thin.blobs, directory: blobs.slave, deadline });
}

function report(
  file: string,
  thin: ThinFile,
  blobs: LostBlobs | undefined,
  { blobs: asked }: ExtractOptions,
): ExtractResult {
  const missing = blobs?.missing.length ?? 0;
  const named = thin.blobs.length;
  const what = `${formatCount(thin.transactions, 'transaction')} with ${formatCount(thin.objects, 'object')} (${formatBytes(thin.bytes)})`;
  const base = nothing(file, 'extracted', missing > 0 ? EXIT.damaged : EXIT.ok, '', undefined);
  const lost = missing > 0 ? `; ${missing} of ${formatCount(named, 'blob')} have no file in ${asked?.master}` : '';
  const hints = {
    missing: `${thin.path} is complete but for the files of these blobs`,
    unasked: `the transactions name ${formatCount(named, 'blob')}: to get their files, add --blobs DIR:DEST_DIR, with another DEST`,
    encrypted: 'the records are encrypted: which of them name blobs cannot be seen, so no blob was copied',
  };
  const hint =
    missing > 0 ? hints.missing : named > 0 && !asked ? hints.unasked : thin.encrypted > 0 ? hints.encrypted : null;
  return {
    ...base,
    reason: `${thin.path} has ${what}${lost}`,
    hint,
    dest: thin.path,
    transactions: thin.transactions,
    objects: thin.objects,
    bytes: thin.bytes,
    firstTid: formatTid(thin.firstTid),
    firstTime: tidToIso(thin.firstTid),
    lastTid: formatTid(thin.lastTid),
    lastTime: tidToIso(thin.lastTid),
    blobsNamed: named,
    blobs: blobs ? { ...blobs, missing } : null,
  };
}

function nothing(
  file: string,
  action: ExtractResult['action'],
  exitCode: ExitCode,
  reason: string,
  hint: string | undefined,
): ExtractResult {
  return {
    action,
    reason,
    hint: hint ?? null,
    exitCode,
    file,
    dest: null,
    transactions: 0,
    objects: 0,
    bytes: 0,
    firstTid: null,
    firstTime: null,
    lastTid: null,
    lastTime: null,
    blobsNamed: 0,
    blobs: null,
    damage: null,
    seconds: 0,
  };
}
