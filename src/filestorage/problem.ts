import type { Rule, WalkWarning } from './stop.js';

/**
 * What ZODB does about a problem when it opens the file without an index, as ZEO does after a crash:
 *
 *  - `refused`: it raises, and ZEO does not start;
 *  - `truncated`: it cuts the file off there, or reads no further: what lies behind is lost;
 *  - `warned`: it logs a line and goes on;
 *  - `unnoticed`: it says nothing, and may serve wrong data.
 */
export type Severity = 'refused' | 'truncated' | 'warned' | 'unnoticed';

export type ProblemRule =
  | Rule
  | WalkWarning['rule']
  /** The file does not begin with the magic of a Data.fs. */
  | 'magic'
  /** Bytes do not have the checksum that the `.dat` tells. */
  | 'checksum'
  /** The `.dat` cannot be used, or claims more than there is. */
  | 'dat'
  /** `Data.fs.index` cannot be used, or leads to other records than the file's newest ones. */
  | 'index';

/** One thing that is wrong, and where. */
export interface Problem {
  /** Position in the file of the field that is wrong. */
  readonly position: number;
  /** Where the transaction in which it is begins, or whatever else it is in. */
  readonly within: number;
  /** Of the transaction in which it is; 0 where there is none, or none that could be told. */
  readonly tid: bigint;
  readonly rule: ProblemRule;
  readonly message: string;
  readonly severity: Severity;
}

/** How many are kept in full; the rest is counted. */
export const PROBLEMS_KEPT = 1000;

/** Problems in the order in which they were found; memory is bounded however many there are. */
export class Problems {
  readonly kept: Problem[] = [];
  count = 0;

  add(problem: Problem): void {
    this.count++;
    if (this.kept.length < PROBLEMS_KEPT) this.kept.push(problem);
  }

  /** Takes over what was found elsewhere: `count` problems, of which the first ones are given. */
  addAll(kept: readonly Problem[], count: number): void {
    for (const problem of kept) this.add(problem);
    this.count += count - kept.length;
  }
}
