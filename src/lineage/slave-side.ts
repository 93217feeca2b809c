import { chunkAt } from '../standby/dat.js';
import type { Piece } from './findings.js';
import type { ForwardSource } from './forward-bytes.js';
import { type Transaction, TransactionCursor } from './transaction-cursor.js';

/**
 * The slave's transactions in order, as far as they can be read.
 *
 * Invariants: a piece that breaks a rule is skipped from the place where it does; a piece that is known to have changed
 * since it was copied counts as unread from the beginning, and what contradicts itself in it is skipped.
 */
export class SlaveSide {
  readonly cursor: TransactionCursor;
  /** Pieces of which not all could be compared. */
  readonly unread: Piece[];
  /** The newest tid up to here. */
  last: bigint | undefined;

  /** `pieces`: where to go on after a break; `changed`: pieces whose bytes do not have their recorded hash. */
  constructor(
    readonly source: ForwardSource,
    from: number,
    private readonly pieces: readonly Piece[],
    private readonly changed: readonly Piece[],
  ) {
    this.cursor = new TransactionCursor(source, from);
    this.unread = [...changed];
  }

  async next(): Promise<Transaction | undefined> {
    const { cursor } = this;
    for (;;) {
      const next = cursor.stop?.kind === 'broken' ? undefined : cursor.next();
      const found = next instanceof Promise ? await next : next;
      if (found && (await this.contradictsItself(found))) continue;
      if (found) {
        this.last = found.tid;
        return found;
      }
      const broken = cursor.stop;
      if (broken?.kind !== 'broken') return undefined;
      const piece = this.pieceAt(broken.position);
      if (!piece) return undefined;
      if (!this.changed.includes(piece)) this.unread.push(piece);
      this.last = piece.lastTid;
      cursor.goTo(piece.end);
    }
  }

  /** The piece with this position in it; undefined where none is known. */
  pieceAt(position: number): Piece | undefined {
    return chunkAt(this.pieces, position);
  }

  /** Whether the transaction is in a piece that has changed. */
  isChanged({ position }: Transaction): boolean {
    return this.changed.length > 0 && chunkAt(this.changed, position) !== undefined;
  }

  /** Where a piece has changed, a tid that only the header has was never committed. */
  private async contradictsItself(found: Transaction): Promise<boolean> {
    if (!this.isChanged(found)) return false;
    const tid = await this.cursor.firstTid(found);
    return tid !== undefined && tid !== found.tid;
  }
}
