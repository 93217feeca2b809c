export interface Ownership {
  readonly mode: number;
  /** Unchanged where this process may not change owners. */
  readonly uid?: number;
  readonly gid?: number;
}
