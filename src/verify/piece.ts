import type { Problem } from '../filestorage/problem.js';
import type { RecordSumValue } from '../filestorage/record-sum.js';
import type { ChunkLine } from '../standby/dat.js';

/** What the file has behind its last committed transaction. */
export type Tail = 'none' | 'in-flight' | 'torn';

/**
 * What is wanted of a piece's records beside their structure:
 *
 *  - `records`: each of them is told; back pointers are followed;
 *  - `balance`: the sum that proves previous pointers together with an index; back pointers are followed;
 *  - `nothing`: not even the targets of back pointers.
 */
export type Requested = 'records' | 'balance' | 'nothing';

/** A piece of a file that is to be inspected: it begins at a boundary, or at what is taken for one until that is proved. */
export interface PieceTask {
  readonly start: number;
  /** The piece ends at the first transaction boundary at or beyond this position. */
  readonly cutAt: number;
  /** The file's size as it was seen. */
  readonly limit: number;
  /** Chunks of the `.dat` that begin in the piece, back to back. */
  readonly chunks: readonly ChunkLine[];
  /** From here on a transaction that is marked as in flight is a batch of a sync, whatever follows it. Infinity: nowhere. */
  readonly claim: number;
  readonly requested: Requested;
}

export interface PieceFacts {
  readonly start: number;
  /** Where the inspection of the rest of the file has to go on. */
  readonly end: number;
  readonly firstTid: bigint;
  /** Position of the transaction with the first tid. */
  readonly firstAt: number;
  readonly lastTid: bigint;
  /** Position after the last complete transaction; 0 without any. */
  readonly lastEnd: number;
  readonly transactions: number;
  readonly records: number;
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  readonly tail: Tail;
  /** undefined: not wanted, or the piece has something that no sum can tell. */
  readonly balance: RecordSumValue | undefined;
}

/** What is told of a piece on the way, in the order of the file. */
export interface PieceEvents {
  record(position: number, oidHigh: number, oidLow: number, previous: number): void;
  /** The records told since the last call are those of a complete transaction, which ends here. */
  transaction(end: number, packed: boolean): void;
  /** All from the last call's end to here is damaged: what was told of it is not to be relied on. */
  gap(end: number): void;
}
