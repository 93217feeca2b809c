import { Problems } from '../filestorage/problem.js';
import type { Judge } from './judge.js';
import type { PieceEvents } from './piece.js';

const nothing = (): void => {};

/** Wants to know nothing of what records point to, nor of the index. */
export class NoJudge implements Judge {
  readonly wanted = 'nothing';
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
