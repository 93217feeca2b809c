import type { Magic } from '../filestorage/layout.js';
import type { Problem } from '../filestorage/problem.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import type { Against } from '../lineage/against.js';
import { ageOfTid } from '../lineage/lag.js';
import type { Side } from '../lineage/sides.js';
import type { Lineage } from '../lineage/verdict.js';
import { EXIT, type ExitCode } from '../round/exit.js';
import type { SideResult } from '../round/result.js';
import type { BlobFindings } from '../verify/blob-check.js';
import type { IndexState } from '../verify/judge.js';
import type { Tail } from '../verify/piece.js';
import type { Findings } from '../verify/verify.js';

/** The JSON object of `syncpozo verify --json`. Fields are only ever added. null: not known, or none. */
export interface VerifyResult {
  /** Nothing is wrong; with --against, the bytes also equal the master's, as far as they go. */
  readonly ok: boolean;
  readonly exitCode: ExitCode;
  readonly path: string;
  readonly magic: Magic | null;
  /**
   * Whether ZODB on Python 3 opens a file with this magic. It does not open FS21, of a Python 2 site, although such a
   * file is correct.
   */
  readonly opensOnPython3: boolean | null;
  readonly size: number;
  readonly committedEnd: number;
  readonly lastTid: string | null;
  readonly lastTime: string | null;
  readonly transactions: number;
  readonly records: number;
  /** null: not known, because pointers were not checked. */
  readonly objects: number | null;
  readonly tail: Tail;
  /** Whether previous pointers and the targets of back pointers were checked. */
  readonly pointers: boolean;
  /** Result of comparing Data.fs.index with the records. */
  readonly index: IndexState;
  /** Bytes compared with checksums in the `.dat`; all others were checked by structure only. */
  readonly hashedBytes: number;
  /** Blobs that the transactions name, as far as the records are not encrypted. */
  readonly blobsNamed: number;
  /** null: the blobs were not checked, because no directory is known, or none was wanted. */
  readonly blobs: BlobsResult | null;
  /** The first thousand. */
  readonly problems: readonly ProblemResult[];
  readonly problemCount: number;
  readonly against: AgainstResult | null;
  readonly equalUpTo: number | null;
  readonly onlyHere: SideResult | null;
  readonly onlyThere: SideResult | null;
  readonly seconds: number;
}

export interface BlobsResult extends Omit<BlobFindings, 'named' | 'problems'> {
  /** The first thousand. */
  readonly problems: readonly {
    readonly oid: string;
    readonly tid: string;
    readonly kind: 'missing' | 'wrong';
    readonly path: string;
    readonly message: string;
  }[];
}

export interface ProblemResult {
  readonly position: number;
  /** Position of the transaction, or other unit, that contains it. */
  readonly within: number;
  readonly tid: string | null;
  readonly rule: Problem['rule'];
  readonly message: string;
  readonly severity: Problem['severity'];
}

export interface AgainstResult {
  readonly path: string;
  /** null: no comparison was possible; `problem` states why. */
  readonly relation: Relation | null;
  /** What the master is to the file: equal, behind, ahead, packed, forked, rotten, rewritten, damaged or unrelated. */
  readonly lineage: Lineage | null;
  readonly problem: string | null;
  readonly firstDifference: number | null;
  readonly masterEnd: number | null;
  /** How far the file is behind; `seconds`: age of the oldest transaction that it lacks. */
  readonly lag: { readonly seconds: number | null; readonly transactions: number; readonly bytes: number } | null;
}

export type Compared = Against | { readonly problem: string; readonly unfit: boolean };

/** What a verification has found. */
export interface Verification {
  readonly path: string;
  readonly findings: Findings;
  readonly blobs: BlobFindings | undefined;
  readonly master: string | undefined;
  readonly against: Compared | undefined;
}

export function verifyResult(
  { path, findings, blobs, master: masterPath, against: compared }: Verification,
  seconds: number,
): VerifyResult {
  const { lastTid, problems } = findings;
  const isDamaged = problems.count > 0 || (blobs !== undefined && blobs.missing + blobs.wrong > 0);
  const exitCode = isDamaged ? EXIT.damaged : exitOf(compared);
  const named = findings.transactions > 0;
  const done = compared && 'lineage' in compared ? compared : undefined;
  return {
    ok: exitCode === EXIT.ok,
    exitCode,
    path,
    magic: findings.magic ?? null,
    opensOnPython3: findings.magic === undefined ? null : findings.magic !== 'FS21',
    size: findings.size,
    committedEnd: findings.committedEnd,
    lastTid: named ? formatTid(lastTid) : null,
    lastTime: named ? tidToIso(lastTid) : null,
    transactions: findings.transactions,
    records: findings.records,
    objects: findings.objects ?? null,
    tail: findings.tail,
    pointers: findings.indexState !== 'unchecked',
    index: findings.indexState,
    hashedBytes: findings.hashedBytes,
    blobsNamed: findings.blobs.ids.size,
    blobs: blobs ? blobsResult(blobs) : null,
    problems: problems.kept.map((problem) => ({ ...problem, tid: problem.tid === 0n ? null : formatTid(problem.tid) })),
    problemCount: problems.count,
    against: compared && masterPath !== undefined ? againstResult(masterPath, compared) : null,
    equalUpTo: done?.equalUpTo ?? null,
    onlyHere: done ? sideResult(done.sides.onlyHere, done.sides.complete) : null,
    onlyThere: done ? sideResult(done.sides.onlyThere, done.sides.complete) : null,
    seconds,
  };
}

function blobsResult({ named: _, problems, ...counts }: BlobFindings): BlobsResult {
  const named = problems.map(({ oid, tid, kind, path, message }) => {
    return { oid: formatTid(oid), tid: formatTid(tid), kind, path, message };
  });
  return { ...counts, problems: named };
}

/** What a file is to its master, in the words of the JSON. */
export type Relation = 'equal' | 'behind' | 'ahead' | 'packed' | 'differs' | 'parted';

const RELATION_OF: Readonly<Record<Lineage, Relation>> = {
  equal: 'equal',
  behind: 'behind',
  ahead: 'ahead',
  packed: 'packed',
  rotten: 'differs',
  damaged: 'differs',
  forked: 'parted',
  rewritten: 'parted',
  unrelated: 'parted',
};

/** A packed master cannot be compared before the next sync: try again. */
const EXIT_OF_RELATION: Readonly<Record<Relation, ExitCode>> = {
  equal: EXIT.ok,
  behind: EXIT.ok,
  packed: EXIT.fault,
  ahead: EXIT.refused,
  parted: EXIT.refused,
  differs: EXIT.damaged,
};

function exitOf(compared: Compared | undefined): ExitCode {
  if (!compared) return EXIT.ok;
  if (!('lineage' in compared)) return compared.unfit ? EXIT.damaged : EXIT.fault;
  return compared.masterDamaged ? EXIT.damaged : EXIT_OF_RELATION[RELATION_OF[compared.lineage]];
}

function againstResult(path: string, compared: Compared): AgainstResult {
  if (!('lineage' in compared)) {
    return {
      path,
      relation: null,
      lineage: null,
      problem: compared.problem,
      firstDifference: null,
      masterEnd: null,
      lag: null,
    };
  }
  const { lineage, firstDifference, masterEnd, masterDamaged, equalUpTo, sides } = compared;
  const relation = RELATION_OF[lineage];
  const { onlyThere } = sides;
  const problem = masterDamaged ? `damaged at position ${masterDamaged.at}: ${masterDamaged.message}` : null;
  const behind = relation === 'equal' || relation === 'behind';
  const seconds = onlyThere.first === undefined ? 0 : ageOfTid(onlyThere.first, Date.now());
  return {
    path,
    relation,
    lineage,
    problem,
    firstDifference: firstDifference ?? null,
    masterEnd,
    lag: behind ? { seconds, transactions: onlyThere.count, bytes: masterEnd - equalUpTo } : null,
  };
}

function sideResult({ count, first, last }: Side, complete: boolean): SideResult {
  return {
    transactions: count,
    atLeast: !complete,
    firstTid: first === undefined ? null : formatTid(first),
    firstTime: first === undefined ? null : tidToIso(first),
    lastTid: last === undefined ? null : formatTid(last),
    lastTime: last === undefined ? null : tidToIso(last),
  };
}
