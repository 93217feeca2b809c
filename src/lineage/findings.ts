import type { Difference } from './match.js';
import type { Ages } from './object-ages.js';
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

/** What a pass counts on its way. */
export class Tally {
  /** Transactions that stand on both sides. */
  matched = 0;
  common: Common | undefined = undefined;
  /** Transactions up to the slave's last one that the slave never had. */
  foreign = 0;
  /** Transactions of the slave's behind the packed part that the master lacks. */
  lacking = 0;
  /** Records of the slave's that the packed part of the master lacks; `own`: from `ownFrom` on. */
  dropped = 0;
  droppedOwn = 0;
  /** A transaction is marked as packed that was not when the slave was given it, or that is newer. */
  newlyPacked = false;
  /** Records that hold other bytes: the first thousand, and how many there are. */
  readonly differences: Mismatch[] = [];
  differenceCount = 0;
  /** Transactions with the same tid, and other texts or objects. */
  readonly shapes: Mismatch[] = [];
  shapeCount = 0;
  /** Transactions in which any of those is. */
  differingTransactions = 0;
  /** The packed part of the master has a transaction without records: no pack leaves one, but fsrecover does. */
  emptied = false;
  /** A transaction on both sides has another position or length on the master, or was packed on one of them only. */
  moved = false;
  /** Pieces of the slave that could not be read. */
  readonly unread: Piece[] = [];
  slaveLast: bigint | undefined = undefined;
  masterLast: bigint | undefined = undefined;
  /** Transactions of the master's behind the slave's last one. */
  news = 0;
}

/** What a pass over both files has found. */
export interface MergeFindings extends Readonly<Tally>, Ages {
  /** The master begins with a transaction that a pack has taken in. */
  readonly packed: boolean;
  readonly slaveStop: CursorStop | undefined;
  readonly masterStop: CursorStop | undefined;
  /** It ended early: counts are lower bounds. */
  readonly early: boolean;
}
