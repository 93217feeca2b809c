import { NeededBlobs } from '../blobs/needed.js';
import { NO_BLOBS } from '../filestorage/blob-names.js';
import { MAGIC_LENGTH, type Magic, magicOf } from '../filestorage/layout.js';
import { type Problem, type ProblemRule, Problems, type Severity } from '../filestorage/problem.js';
import type { IndexCheck } from '../index/check.js';
import { headerAt } from '../pipeline/records.js';
import { hashOf } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import type { DatFile } from '../standby/dat-file.js';
import { ExactJudge } from './exact-judge.js';
import type { FileEvents, Inspector } from './inspect-file.js';
import { type IndexState, type Judge, NoJudge } from './judge.js';
import type { Inspected } from './near-file.js';
import { agreedEnd } from './next-boundary.js';
import type { PieceEvents, PieceFacts, Tail } from './piece.js';
import { PiecePlan } from './piece-plan.js';
import { QuickJudge, Unproved } from './quick-judge.js';

/** Result of one inspection of a whole file. */
export interface Findings {
  readonly size: number;
  readonly magic: Magic | undefined;
  /** Position after the last complete transaction. */
  readonly committedEnd: number;
  readonly lastTid: bigint;
  readonly transactions: number;
  readonly records: number;
  /** undefined: unknown, because nothing about the records' pointers was requested. */
  readonly objects: number | undefined;
  readonly tail: Tail;
  readonly indexState: IndexState;
  /** Number of bytes compared with a checksum. */
  readonly hashedBytes: number;
  /** The blobs that its transactions name, as far as its records are not encrypted. */
  readonly blobs: NeededBlobs;
  readonly problems: Problems;
}

export interface InspectOptions {
  readonly inspector: Inspector;
  readonly window: Window;
  /** Approximate size of a worker's piece. */
  readonly pieceBytes: number;
  /** The `Data.fs.index` beside the file. */
  readonly indexCheck: IndexCheck | undefined;
  /** Whether to check previous pointers, back pointers and the index; false: structure and checksums only. */
  readonly pointers: boolean;
  /** The blobs will be checked: also those count that an undo brought back, whose records have to be looked for. */
  readonly checksBlobs?: boolean;
  /** The file serves: a pack may have replaced the file that its `.dat` describes. */
  readonly serves?: boolean;
}

/** Inspects every byte of an opened file, and what its `.dat` states about it. Writes nothing and takes no lock. */
export async function inspectAll(file: Inspected, datFile: DatFile, options: InspectOptions): Promise<Findings> {
  const problems = new Problems();
  const magic = await magicAt(file, problems);
  const known = await knownChunks(file, datFile, options, problems);
  const subject = { file, magic, known, problems };
  const { indexCheck } = options;
  if (!options.pointers) return inspectWith(new NoJudge(), subject, options);
  const quick = magic === 'FS30' ? QuickJudge.of(indexCheck, file.size) : undefined;
  try {
    if (quick) return await inspectWith(quick, subject, options);
  } catch (error) {
    if (!(error instanceof Unproved)) throw error;
  }
  return inspectWith(new ExactJudge(indexCheck), subject, options);
}

/** What is inspected, and what is known about it in advance. */
interface Subject {
  readonly file: Inspected;
  readonly magic: Magic | undefined;
  readonly known: Known;
  readonly problems: Problems;
}

/** The chunks whose checksums apply to this file, and up to where a sync has claimed it. */
interface Known {
  readonly chunks: readonly ChunkLine[];
  readonly claim: number | undefined;
}

async function inspectWith(judge: Judge, subject: Subject, options: InspectOptions): Promise<Findings> {
  const { file, magic, known } = subject;
  const { size } = file;
  const problems = new Problems();
  problems.addAll(subject.problems.kept, subject.problems.count);
  const probe = new Probe(file, problems, judge, options.checksBlobs === true);
  try {
    await judge.begin(probe.onProblem);
    const plausible = magic !== undefined || (await agreedEnd(file, MAGIC_LENGTH, size)) !== undefined;
    if (plausible && size > MAGIC_LENGTH) {
      const { window, pieceBytes, indexCheck } = options;
      const claim = known.claim ?? Number.POSITIVE_INFINITY;
      const plan = new PiecePlan(file, window, pieceBytes, known.chunks, claim, judge.requested, indexCheck?.end, true);
      await options.inspector.run(file, plan, probe);
    }
    await judge.finish(magic, probe.onProblem);
  } finally {
    await judge.settle();
  }
  const { committedEnd, lastTid, transactions, recordCount: records, tail, blobs } = probe;
  const { objects, indexState } = judge;
  const hashedBytes = known.chunks.reduce((sum, { start, end }) => sum + end - start, 0);
  const seen = { size, magic, committedEnd, lastTid, transactions, records, objects, tail };
  return { ...seen, indexState, hashedBytes, blobs, problems };
}

async function magicAt(file: Inspected, problems: Problems): Promise<Magic | undefined> {
  const bytes = new Uint8Array(MAGIC_LENGTH);
  const length = file.facts.kind === 'file' ? await file.readBytes(bytes, 0) : 0;
  const magic = length < MAGIC_LENGTH ? undefined : magicOf(bytes);
  if (magic !== undefined) return magic;
  if (file.size === 0) {
    const message = 'the file is empty: ZODB takes it for a new database without any objects';
    problems.add(problemAt(0, 'magic', message, 'unnoticed'));
  } else {
    const message = 'not a Data.fs: it does not begin with FS21 or FS30';
    problems.add(problemAt(0, 'magic', message, 'refused'));
  }
  return undefined;
}

async function knownChunks(
  file: Inspected,
  datFile: DatFile,
  { window, serves = false }: InspectOptions,
  problems: Problems,
): Promise<Known> {
  const nothing = { chunks: [], claim: undefined };
  const wrong = (position: number, message: string): void => {
    problems.add(problemAt(position, 'dat', message, 'unnoticed'));
  };
  if ('missing' in datFile) return nothing;
  if ('problem' in datFile) {
    wrong(0, datFile.problem);
    return nothing;
  }
  const { dat } = datFile;
  if (dat.slaveInode !== file.facts.inode && !(await describes(dat, file, window))) {
    // A promoted slave may be packed: then it is its own master, and what was known about its bytes no longer applies.
    if (!serves) wrong(0, 'the .dat describes another file than the one that is there');
    return nothing;
  }
  const claim = dat.claim.position;
  if (claim > file.size) wrong(file.size, `the file ends here, ${claim} bytes of it are claimed in the .dat`);
  return { chunks: dat.chunks.filter(({ end }) => end <= file.size), claim };
}

/** Whether a `.dat` of another file, of which this one may be a copy, matches this file's last chunk. */
async function describes(dat: Dat, file: Inspected, window: Window): Promise<boolean> {
  const last = dat.chunks.at(-1);
  return last !== undefined && last.end <= file.size && (await hashOf(file, last, window)) === last.hash;
}

export function problemAt(position: number, rule: ProblemRule, message: string, severity: Severity): Problem {
  return { position, within: position, tid: 0n, rule, message, severity };
}

/** Combines the results of a file's pieces. */
export class Probe implements FileEvents {
  committedEnd = MAGIC_LENGTH;
  lastTid = 0n;
  transactions = 0;
  recordCount = 0;
  tail: Tail = 'none';
  readonly blobs = new NeededBlobs();

  constructor(
    private readonly file: Inspected,
    private readonly problems: Problems,
    private readonly judge: Judge,
    private readonly checksBlobs = false,
  ) {}

  get records(): PieceEvents {
    return this.judge.records;
  }

  readonly onProblem = (problem: Problem): void => this.problems.add(problem);

  async piece(facts: PieceFacts): Promise<void> {
    const { firstTid, firstAt, transactions } = facts;
    const found = this.judge.take();
    const kept = [...facts.problems];
    for (const problem of found.kept) {
      const header = await headerAt(this.file, problem.within, this.file.size);
      kept.push({ ...problem, tid: header?.tid ?? 0n });
    }
    const isSeamReported = facts.problems.some(({ position, rule }) => position === firstAt && rule === 'tid-order');
    if (transactions > 0 && firstTid <= this.lastTid && !isSeamReported) {
      const message = 'the tid is not above that of the transaction before';
      kept.push({ position: firstAt, within: firstAt, tid: firstTid, rule: 'tid-order', message, severity: 'warned' });
    }
    kept.sort((a, b) => a.within - b.within);
    const uncounted = facts.problemCount - facts.problems.length + found.count - found.kept.length;
    this.problems.addAll(kept, kept.length + uncounted);
    if (transactions > 0) {
      this.lastTid = facts.lastTid;
      this.committedEnd = facts.lastEnd;
    }
    this.transactions += transactions;
    this.recordCount += facts.records;
    const { blobs } = facts;
    await this.blobs.addReadable(this.checksBlobs ? blobs : { ...blobs, undos: NO_BLOBS.undos }, this.file);
    this.tail = facts.tail;
    await this.judge.piece(facts, this.onProblem);
  }
}
