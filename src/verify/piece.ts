import type { BlobNames } from '../filestorage/blob-names.js';
import type { Problem } from '../filestorage/problem.js';
import type { RecordSumValue } from '../filestorage/record-sum.js';
import type { ChunkLine } from '../standby/dat.js';

/** What follows the last committed transaction of the file. */
export type Tail = 'none' | 'in-flight' | 'torn';

/**
 * What is requested about a piece's records, besides their structure:
 *
 *  - `records`: each of them is reported; back pointers are followed;
 *  - `balance`: the sum that, with an index, proves the previous pointers; back pointers are followed;
 *  - `nothing`: not even the targets of back pointers.
 */
export type Requested = 'records' | 'balance' | 'nothing';

/** A piece of a file to inspect. It begins at a boundary, or at a guess that is not proved yet. */
export interface PieceTask {
  readonly start: number;
  /** The piece ends at the first transaction boundary at or beyond this position. */
  readonly cutAt: number;
  /** The file's size when it was read. */
  readonly limit: number;
  /** Chunks of the `.dat` that begin in the piece; contiguous. */
  readonly chunks: readonly ChunkLine[];
  /** From here on, a transaction marked as in flight is a batch of a sync, whatever follows it. Infinity: nowhere. */
  readonly claim: number;
  readonly requested: Requested;
  /** The blobs that the records name are requested. */
  readonly namesBlobs: boolean;
}

export interface PieceFacts {
  readonly start: number;
  /** Where the inspection of the file has to continue. */
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
  readonly blobs: BlobNames;
  /** undefined: not requested, or the piece has something that a sum cannot express. */
  readonly balance: RecordSumValue | undefined;
}

/** Events of a piece, in file order. */
export interface PieceEvents {
  record(position: number, oidHigh: number, oidLow: number, previous: number): void;
  /** The records since the last call belong to a complete transaction, which ends here. */
  transaction(end: number, packed: boolean): void;
  /** Everything from the last call's end to here is damaged: the records reported for it are unreliable. */
  gap(end: number): void;
}
