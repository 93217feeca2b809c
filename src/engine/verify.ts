import { MAGIC_LENGTH, type Magic, magicOf } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { type Problem, type ProblemRule, Problems, type Severity } from '../filestorage/problem.js';
import type { Dat } from '../standby/dat.js';
import type { DatFile } from '../standby/dat-file.js';
import type { Tail } from './go-on.js';
import type { IndexCheck } from './index-check.js';
import type { FileEvents, Inspected, Inspector } from './inspect-file.js';
import type { PieceFacts } from './inspect-piece.js';
import { agreedEnd, headerAt } from './next-boundary.js';
import { PiecePlan } from './piece-plan.js';
import { PreviousPointers } from './previous-pointers.js';
import { hashOf } from './trusted.js';
import type { Window } from './window.js';

/** `unread`: of a Python 2 site, whose ZODB writes it in another form. */
export type IndexState = 'none' | 'right' | 'wrong' | 'unread';

/** What one look at all of a file has found. */
export interface Findings {
  readonly size: number;
  readonly magic: Magic | undefined;
  /** Position after the last complete transaction. */
  readonly committedEnd: number;
  readonly lastTid: bigint;
  readonly transactions: number;
  readonly records: number;
  readonly objects: number;
  readonly tail: Tail;
  readonly indexState: IndexState;
  /** Bytes that have been compared with a checksum. */
  readonly hashedBytes: number;
  readonly problems: Problems;
}

export interface LookOptions {
  readonly inspector: Inspector;
  readonly window: Window;
  /** About how much one worker inspects at a time. */
  readonly pieceBytes: number;
  /** The `Data.fs.index` beside the file. */
  readonly indexCheck: IndexCheck | undefined;
}

/** Looks at every byte of an opened file, and at what its `.dat` says of it. Writes nothing and takes no lock. */
export async function lookAtAll(file: Inspected, datFile: DatFile, options: LookOptions): Promise<Findings> {
  const problems = new Problems();
  const magic = await magicAt(file, problems);
  const look = new Look(file, problems, options.indexCheck);
  await look.begin();
  const known = await knownChunks(file, datFile, options.window, problems);
  const worthwhile = magic !== undefined || (await agreedEnd(file, MAGIC_LENGTH, file.size)) !== undefined;
  if (worthwhile && file.size > MAGIC_LENGTH) {
    const claim = known.claim ?? Number.POSITIVE_INFINITY;
    const plan = new PiecePlan(file, options.window, options.pieceBytes, known.chunks, claim, options.indexCheck?.end);
    await options.inspector.run(file, plan, look);
  }
  look.finish(magic);
  const { committedEnd, lastTid, transactions, recordCount: records, tail, indexState } = look;
  const hashedBytes = known.chunks.reduce((sum, { start, end }) => sum + end - start, 0);
  const { size } = file;
  const objects = look.index.size;
  return {
    size,
    magic,
    committedEnd,
    lastTid,
    transactions,
    records,
    objects,
    tail,
    indexState,
    hashedBytes,
    problems,
  };
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

/** The chunks whose checksums apply to this very file, and up to where a sync has claimed it. */
async function knownChunks(
  file: Inspected,
  datFile: DatFile,
  window: Window,
  problems: Problems,
): Promise<Pick<Dat, 'chunks'> & { readonly claim: number | undefined }> {
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
    // A promoted slave may be packed: then it is its own master, and what was known of its bytes is past.
    if (dat.role === 'slave') wrong(0, 'the .dat describes another file than the one that is there');
    return nothing;
  }
  const claim = dat.claim.position;
  if (claim > file.size) wrong(file.size, `the file ends here, ${claim} bytes of it are claimed in the .dat`);
  return { chunks: dat.chunks.filter(({ end }) => end <= file.size), claim };
}

/** Whether a `.dat` that was written for another file, of which this one may be a copy, tells this one's last bytes. */
async function describes(dat: Dat, file: Inspected, window: Window): Promise<boolean> {
  const last = dat.chunks.at(-1);
  return last !== undefined && last.end <= file.size && (await hashOf(file, last, window)) === last.hash;
}

export function problemAt(position: number, rule: ProblemRule, message: string, severity: Severity): Problem {
  return { position, within: position, tid: 0n, rule, message, severity };
}

/** Puts together what is told of the pieces. */
class Look implements FileEvents {
  committedEnd = MAGIC_LENGTH;
  lastTid = 0n;
  transactions = 0;
  recordCount = 0;
  tail: Tail = 'none';
  indexState: IndexState = 'none';
  readonly index = new ObjectIndex();
  readonly records = new PreviousPointers(this.index);

  constructor(
    private readonly file: Inspected,
    private readonly problems: Problems,
    private readonly indexCheck: IndexCheck | undefined,
  ) {}

  /** Of a database without any transaction there may be an index as well. */
  async begin(): Promise<void> {
    if (this.indexCheck?.end === MAGIC_LENGTH) await this.compareIndex(this.indexCheck);
  }

  async piece(facts: PieceFacts): Promise<void> {
    const { firstTid, firstAt, transactions } = facts;
    const found = this.records.take();
    const kept = [...facts.problems];
    for (const problem of found.kept) {
      const header = await headerAt(this.file, problem.within, this.file.size);
      kept.push({ ...problem, tid: header?.tid ?? 0n });
    }
    const isSeamTold = facts.problems.some(({ position, rule }) => position === firstAt && rule === 'tid-order');
    if (transactions > 0 && firstTid <= this.lastTid && !isSeamTold) {
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
    this.tail = facts.tail;
    if (facts.end === this.indexCheck?.end) await this.compareIndex(this.indexCheck);
  }

  /** What the index has come to, when all of the file has been told. */
  finish(magic: Magic | undefined): void {
    const { indexCheck } = this;
    if (!indexCheck || this.indexState !== 'none') return;
    if (magic === 'FS21') {
      this.indexState = 'unread';
      return;
    }
    this.indexState = 'wrong';
    const message = `Data.fs.index covers the file up to ${indexCheck.end}, where no committed transaction ends`;
    this.problems.add(indexCheck.problem ?? problemAt(indexCheck.end, 'index', message, 'warned'));
  }

  private async compareIndex(indexCheck: IndexCheck): Promise<void> {
    this.indexState = 'right';
    const isUnknown = (position: number): boolean => this.records.isInGap(position);
    await indexCheck.compare(this.index, isUnknown, (problem) => {
      this.indexState = 'wrong';
      this.problems.add(problem);
    });
  }
}
