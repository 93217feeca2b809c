import type { LostNames } from '../extract/lost-names.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { factsOfPath } from '../io/facts.js';
import { Exchanged } from '../pipeline/copy.js';
import { EXIT, type ExitCode, exitOfError, hintOf } from '../round/exit.js';
import { RejoinRefusal } from './refusal.js';

/** The JSON object of `syncpozo rejoin --json`. Fields are only ever added. null: not known, or none. */
export interface RejoinResult {
  /** `none`: SLAVE was a slave already. */
  readonly action: 'none' | 'rewind' | 'full' | 'refused' | 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly dryRun: boolean;
  /** Paths of the two files. */
  readonly master: string;
  readonly slave: string;
  /** The end of the newest transaction that both have. */
  readonly fork: { readonly position: number; readonly tid: string; readonly time: string | null } | null;
  /** What only SLAVE had; null: nothing. */
  readonly lost: LostResult | null;
  /** What the serving side has behind the fork. */
  readonly toCopy: { readonly bytes: number; readonly transactions: number | null } | null;
  /** Of a dry run. */
  readonly estimatedSeconds: number | null;
  readonly copied: { readonly bytes: number; readonly transactions: number };
  /** The old file, where --full keeps it aside; or the bytes behind SLAVE's last transaction. */
  readonly kept: string | null;
  readonly seconds: number;
}

export interface LostResult {
  readonly transactions: number;
  readonly objects: number;
  readonly firstTid: string;
  readonly lastTid: string;
  /** Of the file; in a dry run, of the transactions in SLAVE. */
  readonly bytes: number;
  readonly file: string | null;
  readonly blobs: string | null;
  readonly report: string | null;
}

/** What is known of a rejoin, as it goes on. */
export type Known = Omit<RejoinResult, 'action' | 'reason' | 'hint' | 'exitCode' | 'seconds'>;

export function nothingKnown(master: string, slave: string, dryRun: boolean): Known {
  const copied = { bytes: 0, transactions: 0 };
  return { dryRun, master, slave, fork: null, lost: null, toCopy: null, estimatedSeconds: null, copied, kept: null };
}

export function forkResult({
  position,
  tid,
}: {
  readonly position: number;
  readonly tid: bigint;
}): RejoinResult['fork'] {
  return { position, tid: formatTid(tid), time: tidToIso(tid) };
}

/** `names`: the files that hold it; undefined: none yet. */
export function lostResult(
  lost: {
    readonly transactions: number;
    readonly objects: number;
    readonly firstTid: bigint;
    readonly lastTid: bigint;
    readonly bytes: number;
  },
  names: LostNames | undefined,
): LostResult {
  const { transactions, objects, bytes } = lost;
  return {
    transactions,
    objects,
    firstTid: formatTid(lost.firstTid),
    lastTid: formatTid(lost.lastTid),
    bytes,
    file: names?.file ?? null,
    blobs: names && factsOfPath(names.blobs) !== undefined ? names.blobs : null,
    report: names?.json ?? null,
  };
}

/** The end of a rejoin by an error. */
export function endedBy(error: unknown): Pick<RejoinResult, 'action' | 'reason' | 'hint' | 'exitCode'> {
  if (error instanceof RejoinRefusal) {
    const { message: reason, hint, exitCode } = error;
    return { action: 'refused', reason, hint, exitCode };
  }
  const exitCode = exitOfError(error);
  const reason = error instanceof Error ? error.message : String(error);
  const action = exitCode === EXIT.refused || exitCode === EXIT.inUse ? 'refused' : 'failed';
  const again = error instanceof Exchanged ? 'run the rejoin again' : null;
  return { action, reason, hint: hintOf(error) ?? again, exitCode };
}
