import { formatTid, tidToIso } from '../filestorage/tid.js';
import type { BlobsOutcome } from '../sync/outcome.js';
import type { Outcome } from '../sync/sync.js';
import type { ExitCode } from './exit.js';

/** The JSON object of `syncpozo sync --json`. Fields are only ever added. null: not known. */
export interface SyncResult {
  readonly action: 'none' | 'append' | 'full' | 'rebuild' | 'adopt' | 'off' | 'busy' | 'refused' | 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly dryRun: boolean;
  readonly master: {
    readonly path: string;
    readonly size: number | null;
    readonly committedEnd: number | null;
    readonly lastTid: string | null;
    readonly lastTime: string | null;
  };
  readonly slave: {
    readonly path: string;
    readonly size: number | null;
    readonly claim: number | null;
    readonly lastTid: string | null;
    readonly lastTime: string | null;
  };
  readonly copied: {
    readonly bytes: number;
    readonly transactions: number;
    readonly records: number;
    readonly chunks: number;
    readonly batches: number;
  };
  /** null: this run was not about blobs. */
  readonly blobs: {
    /** Files copied, and the bytes of all that were copied or linked. */
    readonly copied: number;
    readonly bytes: number;
    readonly linked: number;
    /** Files that the slave had, and that were compared with the master's. */
    readonly found: number;
    /** Files that the master has packed away. */
    readonly removed: number;
    /** Blobs that the slave's transactions name: copied, and not there on the master. */
    readonly count: number | null;
    readonly missing: number;
    /** Blobs that changed on the slave's disk, and that the master does not have as they were copied either. */
    readonly wrong: number;
  } | null;
  readonly scrubbed: { readonly bytes: number; readonly bad: number };
  /** Known only for a run that ended in step: two forked sides have no lag. */
  readonly lag: {
    readonly seconds: number | null;
    readonly transactions: number | null;
    readonly bytes: number | null;
  };
  /** Where the master is damaged. */
  readonly damage: {
    readonly position: number;
    readonly at: number;
    readonly tid: string;
    readonly rule: string;
    readonly message: string;
    /** The slave's bytes there are wrong as well, or may be. */
    readonly slaveToo: boolean;
  } | null;
  /** After a refusal: the transactions that only one side has. */
  readonly onlyHere: SideResult | null;
  readonly onlyThere: SideResult | null;
  readonly seconds: number;
}

export interface SideResult {
  readonly transactions: number;
  /** true: the search stopped early, there may be more. */
  readonly atLeast: boolean;
  readonly firstTid: string | null;
  readonly firstTime: string | null;
  readonly lastTid: string | null;
  readonly lastTime: string | null;
}

export interface Round {
  readonly masterPath: string;
  readonly slavePath: string;
  readonly dryRun: boolean;
  readonly seconds: number;
}

const NOTHING = { bytes: 0, transactions: 0, records: 0, chunks: 0, batches: 0 };
const UNKNOWN_LAG = { seconds: null, transactions: null, bytes: null };

/** The result of a run that ended with an error instead of an outcome, or that never began. */
export function plainResult(
  round: Round,
  action: SyncResult['action'],
  exitCode: ExitCode,
  reason: string,
  hint?: string,
): SyncResult {
  return {
    action,
    reason,
    hint: hint ?? null,
    exitCode,
    dryRun: round.dryRun,
    master: { path: round.masterPath, size: null, committedEnd: null, lastTid: null, lastTime: null },
    slave: { path: round.slavePath, size: null, claim: null, lastTid: null, lastTime: null },
    copied: NOTHING,
    blobs: null,
    scrubbed: { bytes: 0, bad: 0 },
    lag: UNKNOWN_LAG,
    damage: null,
    onlyHere: null,
    onlyThere: null,
    seconds: round.seconds,
  };
}

export function resultOf(
  outcome: Outcome,
  round: Round,
  exitCode: ExitCode,
  reason: string,
  hint?: string,
): SyncResult {
  const { reached, damage, sides } = outcome;
  const inStep = reached !== undefined && exitCode === 0 && !round.dryRun;
  const last = { lastTid: reached ? formatTid(reached.tid) : null, lastTime: reached ? tidToIso(reached.tid) : null };
  const side = (which: 'onlyHere' | 'onlyThere'): SideResult | null => {
    if (!sides) return null;
    const { count, first, last: newest } = sides[which];
    return {
      transactions: count,
      atLeast: !sides.complete,
      firstTid: first === undefined ? null : formatTid(first),
      firstTime: first === undefined ? null : tidToIso(first),
      lastTid: newest === undefined ? null : formatTid(newest),
      lastTime: newest === undefined ? null : tidToIso(newest),
    };
  };
  return {
    ...plainResult(round, actionOf(outcome, exitCode, round.dryRun), exitCode, reason, hint),
    master: {
      path: round.masterPath,
      size: outcome.master?.size ?? null,
      committedEnd: inStep ? reached.position : null,
      ...(inStep ? last : { lastTid: null, lastTime: null }),
    },
    slave: { path: round.slavePath, size: outcome.slaveSize ?? null, claim: reached?.position ?? null, ...last },
    copied: { ...outcome.copied },
    blobs: outcome.blobs ? blobsResult(outcome.blobs) : null,
    scrubbed: { bytes: outcome.scrubbed.bytes, bad: outcome.scrubbed.bad },
    lag: inStep ? { seconds: 0, transactions: 0, bytes: 0 } : UNKNOWN_LAG,
    damage: damage ? { ...damagePlace(damage), tid: formatTid(damage.tid) } : null,
    onlyHere: side('onlyHere'),
    onlyThere: side('onlyThere'),
  };
}

function blobsResult({ copied, bytes, linked, found, removed, claim, lost }: BlobsOutcome): SyncResult['blobs'] {
  return {
    copied,
    bytes,
    linked,
    found,
    removed,
    count: claim?.count ?? null,
    missing: claim?.missing ?? 0,
    wrong: lost.length,
  };
}

function damagePlace(damage: NonNullable<Outcome['damage']>) {
  const { position, at, rule, message } = damage;
  // What breaks a rule of the format was never copied.
  const slaveToo = !('kind' in damage) && (damage.slaveToo === true || damage.undecided === true);
  return { position, at, rule, message, slaveToo };
}

function cameToNothing({ copied, plan, blobs }: Outcome, exitCode: ExitCode): boolean {
  if (copied.transactions > 0) return false;
  // Row 13: what was missing is missing still.
  if (plan.row === 13) return !blobs || blobs.copied + blobs.linked + blobs.found + blobs.kept + blobs.removed === 0;
  return exitCode === 0 && (plan.row === 10 || plan.row === 12);
}

function actionOf(outcome: Outcome, exitCode: ExitCode, dryRun: boolean): SyncResult['action'] {
  if (outcome.damage) return 'failed';
  switch (outcome.plan.kind) {
    case 'grown':
    case 'forked':
    case 'in-use':
      return 'refused';
    case 'out-of-reach':
    case 'unfit':
    case 'damaged':
      return 'failed';
    case 'append':
      // The tail was in flight or torn after all: nothing was copied.
      return cameToNothing(outcome, exitCode) && !dryRun ? 'none' : 'append';
    default:
      return outcome.plan.kind;
  }
}
