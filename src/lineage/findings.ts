import type { Difference } from './match.js';
import type { Ages } from './object-ages.js';
import type { CursorStop } from './transaction-cursor.js';

export interface MergeOptions {
  /** Transaction boundaries to begin at. All bytes before them are known to be equal. */
  readonly slaveFrom?: number;
  readonly masterFrom?: number;
  /** Slave transactions from this position on were never recorded as copied from this master. */
  readonly ownFrom: number;
  /** Pieces of the slave with transaction boundaries on both ends. The pass skips a piece that cannot be read. */
  readonly pieces: readonly Piece[];
  /** Those of them whose bytes do not have their recorded hash any more: what only they show may be a flipped bit. */
  readonly changed?: readonly Piece[];
  /** End as soon as it is certain that each side has something that the other never had. */
  readonly stopEarly: boolean;
}

export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly firstTid: bigint;
  readonly lastTid: bigint;
}

/** The newest common transaction before anything that contradicts a common history. */
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

/** What a pass counts. */
export class Tally {
  /** Transactions on both sides. */
  matched = 0;
  common: Common | undefined = undefined;
  /** Master transactions, not newer than the slave's last one, that the slave never had. */
  foreign = 0;
  /** Slave transactions behind the packed part that the master lacks. */
  lacking = 0;
  /** Slave records that the packed part of the master lacks; `droppedOwn`: those from `ownFrom` on. */
  dropped = 0;
  droppedOwn = 0;
  /**
   * The master marks a transaction as packed that was not packed when it was copied, or that is newer than the slave.
   */
  newlyPacked = false;
  /** Records that hold other bytes: the first thousand, and their number. */
  readonly differences: Mismatch[] = [];
  differenceCount = 0;
  /** Transactions with the same tid, but other texts or objects. */
  readonly shapes: Mismatch[] = [];
  shapeCount = 0;
  /** Transactions that contain any of those. */
  differingTransactions = 0;
  /** The packed part of the master has a transaction without records: no pack leaves one, but fsrecover does. */
  emptied = false;
  /** A common transaction has another position or length on the master, or is packed on one side only. */
  moved = false;
  masterLast: bigint | undefined = undefined;
  /** Master transactions behind the slave's last one. */
  news = 0;
}

/** The findings of a pass over both files. */
export interface MergeFindings extends Readonly<Tally>, Ages {
  /** Pieces of the slave that could not be read, or that have changed since they were copied. */
  readonly unread: readonly Piece[];
  readonly slaveLast: bigint | undefined;
  /** The master begins with a packed transaction. */
  readonly packed: boolean;
  readonly slaveStop: CursorStop | undefined;
  readonly masterStop: CursorStop | undefined;
  /** The pass ended early: counts are lower bounds. */
  readonly early: boolean;
}
