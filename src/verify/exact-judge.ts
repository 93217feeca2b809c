import { MAGIC_LENGTH, type Magic } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import type { Problems } from '../filestorage/problem.js';
import type { IndexCheck } from '../index/check.js';
import type { IndexState, Judge, OnProblem } from './judge.js';
import type { PieceFacts } from './piece.js';
import { PreviousPointers } from './previous-pointers.js';

/** Judges each previous pointer and each index entry with an index that it builds from the records. */
export class ExactJudge implements Judge {
  readonly requested = 'records';
  indexState: IndexState = 'none';
  private readonly index = new ObjectIndex();
  readonly records = new PreviousPointers(this.index);

  constructor(private readonly indexCheck: IndexCheck | undefined) {}

  get objects(): number {
    return this.index.size;
  }

  /** A database without transactions may have an index as well. */
  async begin(onProblem: OnProblem): Promise<void> {
    if (this.indexCheck?.end === MAGIC_LENGTH) await this.compareIndex(this.indexCheck, onProblem);
  }

  take(): Problems {
    return this.records.take();
  }

  async piece({ end }: PieceFacts, onProblem: OnProblem): Promise<void> {
    if (end === this.indexCheck?.end) await this.compareIndex(this.indexCheck, onProblem);
  }

  /** The result for the index, after the whole file has been read. */
  async finish(magic: Magic | undefined, onProblem: OnProblem): Promise<void> {
    const { indexCheck } = this;
    if (!indexCheck || this.indexState !== 'none') return;
    if (magic === 'FS21') {
      this.indexState = 'unread';
      return;
    }
    this.indexState = 'wrong';
    const position = indexCheck.end;
    const message = `Data.fs.index covers the file up to ${position}, where no committed transaction ends`;
    const uncovered = { position, within: position, tid: 0n, rule: 'index', message, severity: 'warned' } as const;
    onProblem(indexCheck.problem ?? uncovered);
  }

  async settle(): Promise<void> {}

  private async compareIndex(indexCheck: IndexCheck, onProblem: OnProblem): Promise<void> {
    this.indexState = 'right';
    const isUnknown = (position: number): boolean => this.records.isInGap(position);
    await indexCheck.compare(this.index, isUnknown, (problem) => {
      this.indexState = 'wrong';
      onProblem(problem);
    });
  }
}
