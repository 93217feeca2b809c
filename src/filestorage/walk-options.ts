import type { WalkWarning } from './stop.js';

export interface WalkOptions {
  /** Position of the first transaction to read. */
  readonly start: number;
  /** The file's size as it was seen: nothing at or beyond it is read. */
  readonly limit: number;
  /** Stop at the first transaction boundary at or beyond this position; Infinity for none. */
  readonly cutAt: number;
  /** The last tid before `start`; 0 for none. */
  readonly lastTid: bigint;
  /** Previous and back pointers are told as they are: whoever is told checks them. */
  readonly pointersUnchecked?: boolean;
}

/** What a walk tells on its way. */
export interface WalkEvents {
  /** A complete transaction, after it has been found good; `length` is without its trailer. */
  readonly onTransaction?: (position: number, length: number, tid: bigint, status: number) => void;
  /**
   * A record, as its header is read: its transaction may still turn out to be broken off, and only `onTransaction` says that
   * it is not. The oid comes in halves, because a BigInt a record costs more than all the rest of the walk. `dataLength` 0:
   * `backPointer` stands in the place of data (0: the object's creation was undone).
   */
  readonly onRecord?: (
    position: number,
    oidHigh: number,
    oidLow: number,
    previous: number,
    dataLength: number,
    backPointer: number,
  ) => void;
  /** Every warning, however many there are; told before the transaction's `onTransaction`. */
  readonly onWarning?: (warning: WalkWarning) => void;
}
