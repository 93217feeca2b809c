import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { cutAfter } from '../pipeline/chunk-table.js';
import { guessBoundary } from '../pipeline/guess-boundary.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import type { PieceTask, Requested } from './piece.js';

/** A piece, and whether its end is known in advance, so that the next one can begin there at once. */
export interface PlannedPiece {
  readonly task: PieceTask;
  readonly endKnown: boolean;
}

/**
 * How a file is divided into pieces. Where a `.dat` has chunks, a piece is a run of them; elsewhere it ends at a likely
 * boundary. The next piece proves either: a piece must end where the next one begins.
 */
export class PiecePlan {
  private next = 0;

  /**
   * `claim`: position up to which a sync knows the file to be committed; Infinity without one. `stopAt`: a position at
   * which a piece must end, if a transaction does. If a balance is requested, it applies to the pieces before `stopAt`
   * only; the pieces after it report their records.
   */
  constructor(
    private readonly file: Readable,
    private readonly window: Window,
    private readonly pieceBytes: number,
    private readonly chunks: readonly ChunkLine[],
    private readonly claim: number,
    private readonly requested: Requested = 'records',
    private readonly stopAt = 0,
    private readonly namesBlobs = false,
  ) {}

  /** The piece that begins at `start`. Starts ascend, except when a wrong guess makes them fall back. */
  async pieceAt(start: number): Promise<PlannedPiece> {
    const { file, window, stopAt } = this;
    const requested = this.requested === 'balance' && start >= stopAt ? 'records' : this.requested;
    const common = { start, limit: file.size, claim: this.claim, requested, namesBlobs: this.namesBlobs };
    const chunks = this.chunksFrom(start);
    const end = chunks.at(-1)?.end ?? cutAfter(start, this.pieceBytes);
    if (stopAt > start && stopAt <= end) {
      const begun = chunks.filter((chunk) => chunk.start < stopAt);
      return { task: { ...common, cutAt: stopAt, chunks: begun }, endKnown: true };
    }
    if (chunks.length > 0) return { task: { ...common, cutAt: end, chunks }, endKnown: true };
    if (end >= file.size) return { task: { ...common, cutAt: Number.POSITIVE_INFINITY, chunks }, endKnown: false };
    const guess = await guessBoundary(file, window, end);
    return { task: { ...common, cutAt: guess ?? end, chunks }, endKnown: guess !== undefined };
  }

  /** The chunks of the piece that begins at `start`; none when `start` lies after all of them. */
  private chunksFrom(start: number): readonly ChunkLine[] {
    const { chunks } = this;
    while (this.next > 0 && (chunks[this.next - 1]?.start ?? 0) >= start) this.next--;
    while ((chunks[this.next]?.start ?? Number.POSITIVE_INFINITY) < start) this.next++;
    const first = this.next;
    let last = first;
    while (last < chunks.length && (chunks[last]?.start ?? 0) - start < this.pieceBytes) last++;
    return chunks.slice(first, last);
  }
}

export const FIRST_PIECE = MAGIC_LENGTH;

/** The pieces of a plan in order, as far as their starts are known before the pieces in front of them are inspected. */
export class PieceQueue {
  private planned: PlannedPiece | undefined;
  private start: number | undefined = FIRST_PIECE;

  constructor(
    private readonly plan: PiecePlan,
    private readonly size: number,
  ) {}

  /** The next piece; undefined when its start is not known yet. */
  async first(): Promise<PieceTask | undefined> {
    if (!this.planned && this.start !== undefined) this.planned = await this.plan.pieceAt(this.start);
    return this.planned?.task;
  }

  /** Removes the next piece. */
  drop(): void {
    const { planned } = this;
    this.start = planned?.endKnown && planned.task.cutAt < this.size ? planned.task.cutAt : undefined;
    this.planned = undefined;
  }

  /** Continues at another position. */
  goTo(start: number): void {
    this.start = start;
    this.planned = undefined;
  }
}
