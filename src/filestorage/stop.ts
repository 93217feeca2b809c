/** Why a walk stopped. */

export type Rule =
  | 'status'
  | 'transaction-length'
  | 'record-length'
  | 'record-tloc'
  | 'version-length'
  | 'previous-pointer'
  | 'back-pointer'
  | 'trailer';

export type Stop =
  /** The limit was reached exactly at a transaction boundary. */
  | { readonly kind: 'end'; readonly position: number }
  /** The transaction that crosses the requested position is complete: a chunk ends here. */
  | { readonly kind: 'cut'; readonly position: number }
  /** A transaction with status 'c' begins here: voted and not finished. */
  | { readonly kind: 'in-flight'; readonly position: number; readonly length: number }
  /** The file ends before the transaction that begins here, or its header is all zeros. */
  | { readonly kind: 'torn'; readonly position: number }
  /** The transaction that begins at `position` violates a rule at `at`. */
  | {
      readonly kind: 'damaged';
      readonly position: number;
      readonly at: number;
      readonly tid: bigint;
      readonly rule: Rule;
      readonly message: string;
    };

export interface WalkWarning {
  readonly position: number;
  readonly tid: bigint;
  readonly rule: 'tid-order' | 'unknown-status' | 'record-tid';
}
