import type { Moment } from '../extract/moment.js';
import type { Restored } from '../extract/restore.js';
import type { StateSource } from '../extract/state-source.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import type { Log } from '../report/log.js';
import { formatCount } from '../report/numbers.js';
import { EXIT, type ExitCode } from '../round/exit.js';

interface Instant {
  readonly tid: string;
  /** ISO 8601 in UTC; null for a tid that is no time. */
  readonly time: string | null;
}

/** The JSON object of `syncpozo restore --json`. Fields are only ever added. null: not known, or does not apply. */
export interface RestoreResult {
  readonly action: 'restored' | 'planned' | 'refused' | 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly dryRun: boolean;
  readonly file: string;
  /** The file that has the state: FILE, or one that was kept beside it. */
  readonly source: string | null;
  readonly dest: string;
  readonly until: Instant;
  /** The end of the state, and its last transaction. */
  readonly end: (Instant & { readonly position: number }) | null;
  /** The newest transaction of FILE that a pack has rewritten, if the moment is older. */
  readonly packed: Instant | null;
  readonly copied: {
    readonly bytes: number;
    readonly transactions: number;
    readonly records: number;
    /** The file system shares the bytes of both files. */
    readonly reflink: boolean;
  } | null;
  readonly index: string | null;
  /** Blobs that the state names; null: not counted. */
  readonly blobsNamed: number | null;
  readonly blobs: {
    readonly directory: string;
    readonly files: number;
    readonly linked: number;
    readonly copiedBytes: number;
    readonly missing: number;
    readonly firstMissing: string | null;
  } | null;
  readonly damage: {
    readonly path: string;
    readonly position: number;
    readonly at: number;
    readonly rule: string;
    readonly message: string;
  } | null;
  readonly warnings: readonly string[];
  readonly seconds: number;
}

interface Asked {
  readonly file: string;
  readonly dest: string;
  readonly until: Moment;
  readonly dryRun: boolean;
  /** The new directory of blobs. */
  readonly blobs?: string | undefined;
}

interface Failure {
  readonly exitCode: ExitCode;
  readonly reason: string;
  readonly hint: string | undefined;
}

function instantOf(tid: bigint): Instant {
  return { tid: formatTid(tid), time: tidToIso(tid) };
}

/** `2026-11-28T13:02:07.123Z (tid 03e8…)`. */
function named(tid: bigint): string {
  return `${tidToIso(tid) ?? 'no time'} (tid ${formatTid(tid)})`;
}

export function failedResult(asked: Asked, failure: Failure, seconds: number, log: Log): RestoreResult {
  const { exitCode, reason, hint } = failure;
  log.error({ path: asked.file, exitCode, ...(hint && { hint }) }, reason);
  const action = exitCode === EXIT.refused ? 'refused' : 'failed';
  return { ...plainResult(asked, seconds), action, reason, hint: hint ?? null, exitCode };
}

function plainResult({ file, dest, until, dryRun }: Asked, seconds: number): RestoreResult {
  return {
    action: 'failed',
    reason: '',
    hint: null,
    exitCode: EXIT.ok,
    dryRun,
    file,
    source: null,
    dest,
    until: { tid: formatTid(until.tid), time: until.time },
    end: null,
    packed: null,
    copied: null,
    index: null,
    blobsNamed: null,
    blobs: null,
    damage: null,
    warnings: [],
    seconds,
  };
}

export function endedResult(restored: Restored, asked: Asked, seconds: number, log: Log): RestoreResult {
  if (!('place' in restored)) return refused(restored, asked, seconds, log);
  const { path, place, packed, copied, blobs } = restored;
  const warnings = warningsOf(restored, asked);
  for (const message of warnings) log.warn({ path: asked.dest }, message);
  const isDone = restored.kind === 'done';
  const last = place.last?.tid ?? 0n;
  const reason = isDone
    ? `${asked.dest} has the state of ${named(last)}`
    : `${asked.dest} would have the state of ${named(last)}`;
  const missing = blobs?.missing ?? 0;
  log.info({ source: path, dest: asked.dest, end: place.position, bytes: place.position }, reason);
  return {
    ...plainResult(asked, seconds),
    action: isDone ? 'restored' : 'planned',
    reason,
    hint: missing > 0 ? 'look for the missing blobs in a backup of the blob directory; the data is complete' : null,
    exitCode: missing > 0 ? EXIT.damaged : EXIT.ok,
    source: path,
    end: { position: place.position, ...instantOf(last) },
    packed: packed ? instantOf(packed.tid) : null,
    copied: copied
      ? {
          bytes: place.position,
          transactions: copied.transactions,
          records: copied.records,
          reflink: copied.shared,
        }
      : null,
    index: copied && copied.records > 0 ? `${asked.dest}.index` : null,
    blobsNamed: copied ? copied.needed.ids.size : null,
    blobs:
      blobs && asked.blobs !== undefined
        ? {
            directory: asked.blobs,
            files: blobs.files,
            linked: blobs.linked,
            copiedBytes: blobs.bytes,
            missing: blobs.missing,
            firstMissing: blobs.firstMissing ?? null,
          }
        : null,
    warnings,
  };
}

function warningsOf(restored: Extract<Restored, { readonly place: unknown }>, asked: Asked): string[] {
  const { path, place, packed, copied, blobs } = restored;
  const warnings: string[] = [];
  if (packed)
    warnings.push(`a pack has left that moment out of ${asked.file}: the state is read from ${path}, which was kept`);
  if (packed && path.includes('.only-here-'))
    warnings.push(`${path} was kept in doubt: it may have transactions that ${asked.file} never had`);
  if (copied && copied.disorder > 0) {
    const what = `${formatCount(copied.disorder, 'transaction')} of ${path} ${copied.disorder === 1 ? 'has' : 'have'} a tid that is not above the one before`;
    warnings.push(
      `${what}: everything before the last one that is not newer was taken, as the file has it; some of it may be newer than the moment`,
    );
  }
  if (!place.next && place.last && place.last.tid < asked.until.tid)
    warnings.push(`the last transaction of ${path} is that of ${named(place.last.tid)}: what came later is not in it`);
  if (copied && !blobs && copied.needed.ids.size > 0)
    warnings.push(
      `the state names ${formatCount(copied.needed.ids.size, 'blob')}, and no --blobs DIR:DEST_DIR was given`,
    );
  if (blobs && blobs.missing > 0)
    warnings.push(`${formatCount(blobs.missing, 'blob')} of the state not found, first ${blobs.firstMissing}`);
  return warnings;
}

function refused(
  restored: Exclude<StateSource, { readonly kind: 'found' }>,
  asked: Asked,
  seconds: number,
  log: Log,
): RestoreResult {
  const fail = (exitCode: ExitCode, reason: string, hint: string): RestoreResult =>
    failedResult(asked, { exitCode, reason, hint }, seconds, log);
  switch (restored.kind) {
    case 'unfit':
      return fail(EXIT.damaged, restored.reason, 'FILE has to be a Data.fs of ZODB, or the directory that holds one');
    case 'before-first':
      return restored.first === undefined
        ? fail(EXIT.refused, `${asked.file} has no transaction`, `name another file in the place of ${asked.file}`)
        : fail(
            EXIT.refused,
            `${asked.file} begins with ${named(restored.first)}, after that moment`,
            'name a later moment, or an older copy of the file',
          );
    case 'packed-away': {
      const { packed, tried } = restored;
      const found = tried.map(({ path, reason }) => `${path}: ${reason}`).join('; ');
      const beside = tried.length === 0 ? 'no kept file is beside it' : `no kept file has it (${found})`;
      const reason = `a pack has left that moment out of ${asked.file}: it has the states from ${named(packed.tid)} on, and ${beside}`;
      const unproven = tried.find(({ isUnproven }) => isUnproven)?.path;
      const hint = unproven
        ? `if you know that ${unproven} is an earlier state of it, name that file in the place of FILE`
        : `name an older copy of ${asked.file}: a backup, the other side, or a Data.fs.old`;
      return { ...fail(EXIT.refused, reason, hint), packed: instantOf(packed.tid) };
    }
    case 'damaged': {
      const { path, damage } = restored;
      const { position, at, rule, message } = damage;
      const hint =
        rule === 'hash'
          ? `nothing was written; repair the file first: syncpozo sync MASTER ${path} --scrub full; or restore from the other side`
          : "nothing was written; check the file with ZODB's fstest, and restore from the other side or from a backup";
      const failed = fail(
        EXIT.damaged,
        `${path} is damaged at position ${position}, before that moment: ${message}`,
        hint,
      );
      return { ...failed, damage: { path, position, at, rule, message } };
    }
  }
}
