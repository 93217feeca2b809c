import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import { inspectPiece } from './inspect-piece.js';
import { type Inspected, NearFile } from './near-file.js';
import type { PieceEvents, PieceFacts } from './piece.js';
import { FIRST_PIECE, type PiecePlan } from './piece-plan.js';

/** Receives the records of a file in file order, and each piece's facts after all its records. */
export interface FileEvents {
  readonly records: PieceEvents;
  piece(facts: PieceFacts): Promise<void>;
}

/** Inspects a file from its first transaction to its end. */
export interface Inspector {
  run(file: Inspected, plan: PiecePlan, events: FileEvents): Promise<void>;
  /** Ends its threads, if any. */
  close(): Promise<void>;
}

export type OnPosition = (position: number, size: number) => void;

/** Whether nothing is left to inspect after a piece. */
export function isEnd(facts: PieceFacts, size: number): boolean {
  return facts.tail !== 'none' || facts.end >= size;
}

/** Inspects in this thread, piece by piece: for files where starting workers costs more than it saves. */
export class InlineInspector implements Inspector {
  /** `near`: the file is on a local disk. */
  constructor(
    private readonly window: Window,
    private readonly deadline: ReadDeadline,
    private readonly onPosition: OnPosition,
    private readonly near = false,
  ) {}

  async run(file: Inspected, plan: PiecePlan, events: FileEvents): Promise<void> {
    const near = this.near ? NearFile.open(file, this.deadline) : undefined;
    try {
      for (let start = FIRST_PIECE; ; ) {
        if (this.deadline.signal.aborted) throw new Interrupted();
        const { task } = await plan.pieceAt(start);
        const facts = await inspectPiece(task, near ?? file, this.window, events.records);
        await events.piece(facts);
        this.onPosition(facts.end, file.size);
        if (isEnd(facts, file.size)) return;
        start = facts.end;
      }
    } finally {
      await near?.close();
    }
  }

  async close(): Promise<void> {}
}
