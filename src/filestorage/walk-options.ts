import type { BlobNamesCollector } from './blob-names.js';
import type { WalkWarning } from './stop.js';

export interface WalkOptions {
  /** Position of the first transaction to read. */
  readonly start: number;
  /** The file's size when it was read: nothing at or beyond it is read. */
  readonly limit: number;
  /** Stop at the first transaction boundary at or beyond this position; Infinity for none. */
  readonly cutAt: number;
  /** The last tid before `start`; 0 for none. */
  readonly lastTid: bigint;
  /** Do not check previous and back pointers: the receiver of the events checks them. */
  readonly pointersUnchecked?: boolean;
  /** Receives the blobs that records name; undefined: the records' data is not looked at. */
  readonly blobs?: BlobNamesCollector | undefined;
}

/** Events of a walk. */
export interface WalkEvents {
  /** A complete and valid transaction; `length` excludes its trailer. */
  readonly onTransaction?: (position: number, length: number, tid: bigint, status: number) => void;
  /**
   * A record, reported when its header is read: its transaction may still prove incomplete, and only `onTransaction`
   * confirms it. The oid comes in halves, because one BigInt per record would cost more than the rest of the walk. With
   * `dataLength` 0 the record has `backPointer` instead of data (0: undo of the object's creation).
   */
  readonly onRecord?: (
    position: number,
    oidHigh: number,
    oidLow: number,
    previous: number,
    dataLength: number,
    backPointer: number,
  ) => void;
  /** Every warning, without limit; reported before the transaction's `onTransaction`. */
  readonly onWarning?: (warning: WalkWarning) => void;
}
