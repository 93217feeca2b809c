import type { Difference } from './match.js';
import type { CursorStop } from './transaction-cursor.js';

export interface MergeOptions {
  /** Transaction boundaries to begin at; all before them is known to be the same. */
  readonly slaveFrom?: number;
  readonly masterFrom?: number;
  /** What the slave has from here on was never recorded as copied from this master. */
  readonly ownFrom: number;
  /** Pieces of the slave, transaction boundaries on both ends, to go on behind where one cannot be read. */
  readonly pieces: readonly Piece[];
  /** End as soon as it is certain that each side has what the other never had. */
  readonly stopEarly: boolean;
}

export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly firstTid: bigint;
  readonly lastTid: bigint;
}

/** The newest transaction that both have, before anything that speaks against one history. */
export interface Common {
  readonly tid: bigint;
  /** Position behind it on the slave. */
  readonly slaveEnd: number;
}

/** Where the same record holds other bytes on the two sides. */
export interface Mismatch extends Difference {
  readonly tid: bigint;
  /** Position of the transaction on the slave, and on the master. */
  readonly transaction: number;
  readonly masterTransaction: number;
}

export interface MergeFindings {
  /** Transactions that stand on both sides. */
  readonly matched: number;
  readonly common: Common | undefined;
  /** Transactions up to the slave's last one that the slave never had. */
  readonly foreign: number;
  /** Transactions of the slave's behind the packed part that the master lacks. */
  readonly lacking: number;
  /** Records of the slave's that the packed part of the master lacks; `own`: from `ownFrom` on. */
  readonly dropped: number;
  readonly droppedOwn: number;
  /** Of the objects of those: no record at all is left; a newer one, which the slave never had, is left. */
  readonly gone: number;
  readonly newer: number;
  /** Only an older one is left: no pack does that. `oldest`: position of the first such transaction of the slave's. */
  readonly older: number;
  readonly oldest: number | undefined;
  /** Of the older ones: a later transaction points back to the older record, which a pack keeps then. */
  readonly pointedBack: number;
  /** A transaction is marked as packed that was not when the slave was given it, or that is newer. */
  readonly newlyPacked: boolean;
  readonly differences: readonly Mismatch[];
  readonly differenceCount: number;
  /** Transactions with the same tid, and other texts or objects. */
  readonly shapes: readonly Mismatch[];
  readonly shapeCount: number;
  /** Transactions in which any of those is. */
  readonly differingTransactions: number;
  /** A transaction on both sides has another position, length or status on the master. */
  readonly moved: boolean;
  /** The master begins with a transaction that a pack has taken in. */
  readonly packed: boolean;
  /** Pieces of the slave that could not be read. */
  readonly unread: readonly Piece[];
  readonly slaveLast: bigint | undefined;
  readonly masterLast: bigint | undefined;
  readonly news: number;
  readonly slaveStop: CursorStop | undefined;
  readonly masterStop: CursorStop | undefined;
  /** It ended early: counts are lower bounds. */
  readonly early: boolean;
}
