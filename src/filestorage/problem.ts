import type { Rule, WalkWarning } from './stop.js';

/**
 * What ZODB does about a problem when it opens the file without an index, as ZEO does after a crash:
 *
 *  - `refused`: it raises, and ZEO does not start;
 *  - `truncated`: it truncates the file there, or stops reading: everything after that place is lost;
 *  - `warned`: it logs a line and continues;
 *  - `unnoticed`: it reports nothing, and may serve wrong data.
 */
export type Severity = 'refused' | 'truncated' | 'warned' | 'unnoticed';

export type ProblemRule =
  | Rule
  | WalkWarning['rule']
  /** The file does not begin with the magic of a Data.fs. */
  | 'magic'
  /** Bytes do not match their checksum in the `.dat`. */
  | 'checksum'
  /** The `.dat` cannot be used, or claims more than the file has. */
  | 'dat'
  /** `Data.fs.index` cannot be used, or does not lead to the newest records of the file. */
  | 'index';

/** One problem, and where it is. */
export interface Problem {
  /** File position of the wrong field. */
  readonly position: number;
  /** Position of the transaction, or other unit, that contains it. */
  readonly within: number;
  /** The tid of that transaction; 0 where there is none or it is unknown. */
  readonly tid: bigint;
  readonly rule: ProblemRule;
  readonly message: string;
  readonly severity: Severity;
}

/** How many problems are kept in full; the rest are only counted. */
export const PROBLEMS_KEPT = 1000;

/** Problems in the order in which they were found. Memory is bounded, however many there are. */
export class Problems {
  readonly kept: Problem[] = [];
  count = 0;

  add(problem: Problem): void {
    this.count++;
    if (this.kept.length < PROBLEMS_KEPT) this.kept.push(problem);
  }

  /** Adds problems from elsewhere: `count` in number, of which `kept` has the first ones. */
  addAll(kept: readonly Problem[], count: number): void {
    for (const problem of kept) this.add(problem);
    this.count += count - kept.length;
  }
}
