import type { Magic } from '../filestorage/layout.js';
import { type Problem, Problems } from '../filestorage/problem.js';
import type { PieceEvents, PieceFacts, Requested } from './piece.js';

/** `unread`: of a Python 2 site, whose ZODB writes it in another form. `unchecked`: nobody wanted to know. */
export type IndexState = 'none' | 'right' | 'wrong' | 'unread' | 'unchecked';

export type OnProblem = (problem: Problem) => void;

/** Judges what the records of a file point to, and the index beside it, while a look at the file tells of its pieces. */
export interface Judge {
  /** What it wants to be told of the records. */
  readonly requested: Requested;
  readonly records: PieceEvents;
  /** Number of objects, when all has been told; undefined: not known. */
  readonly objects: number | undefined;
  readonly indexState: IndexState;
  begin(onProblem: OnProblem): Promise<void>;
  /** The problems of the piece whose records have been told; their tids are not known. */
  take(): Problems;
  /** A piece has been told, and all of its problems. */
  piece(facts: PieceFacts, onProblem: OnProblem): Promise<void>;
  finish(magic: Magic | undefined, onProblem: OnProblem): Promise<void>;
  /** Resolves when nothing is being read for it any more, however its looking ended. */
  settle(): Promise<void>;
}

const nothing = (): void => {};

/** Wants to know nothing of what records point to, nor of the index. */
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
