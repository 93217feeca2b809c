import { MAGIC_LENGTH } from '../filestorage/layout.js';
import type { Problem, Problems } from '../filestorage/problem.js';
import { headerAt } from '../pipeline/records.js';
import type { FileEvents } from './inspect-file.js';
import type { Judge } from './judge.js';
import type { Inspected } from './near-file.js';
import type { PieceEvents, PieceFacts, Tail } from './piece.js';

/** Puts together what is told of a file's pieces. */
export class Look implements FileEvents {
  committedEnd = MAGIC_LENGTH;
  lastTid = 0n;
  transactions = 0;
  recordCount = 0;
  tail: Tail = 'none';

  constructor(
    private readonly file: Inspected,
    private readonly problems: Problems,
    private readonly judge: Judge,
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
    await this.judge.piece(facts, this.onProblem);
  }
}
