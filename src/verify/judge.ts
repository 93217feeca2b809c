import type { Magic } from '../filestorage/layout.js';
import { type Problem, Problems } from '../filestorage/problem.js';
import type { PieceEvents, PieceFacts, Requested } from './piece.js';

/** `unread`: of a Python 2 site, whose ZODB uses another index format. `unchecked`: not requested. */
export type IndexState = 'none' | 'right' | 'wrong' | 'unread' | 'unchecked';

export type OnProblem = (problem: Problem) => void;

/**
 * Judges what the records of a file point to, and the index beside it, while an inspection reports the file's pieces.
 */
export interface Judge {
  /** What it requests about the records. */
  readonly requested: Requested;
  readonly records: PieceEvents;
  /** Number of objects, after the last piece; undefined when unknown. */
  readonly objects: number | undefined;
  readonly indexState: IndexState;
  begin(onProblem: OnProblem): Promise<void>;
  /** The problems of the piece whose records have been reported; their tids are not known. */
  take(): Problems;
  /** A piece has been reported, with all its problems. */
  piece(facts: PieceFacts, onProblem: OnProblem): Promise<void>;
  finish(magic: Magic | undefined, onProblem: OnProblem): Promise<void>;
  /** Resolves when no read for this judge is running any more, whether or not the inspection succeeded. */
  settle(): Promise<void>;
}

const nothing = (): void => {};

/** Judges neither pointers nor the index. */
export class NoJudge implements Judge {
  readonly requested = 'nothing';
  readonly indexState = 'unchecked';
  readonly objects = undefined;
  readonly records: PieceEvents = { record: nothing, transaction: nothing, gap: nothing };

  async begin(): Promise<void> {}

  take(): Problems {
    return new Problems();
  }

  async piece(): Promise<void> {}
  async finish(): Promise<void> {}
  async settle(): Promise<void> {}
}
