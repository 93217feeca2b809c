import type { Stop } from '../filestorage/stop.js';

export type Damage = Extract<Stop, { kind: 'damaged' }>;

/**
 * Bytes of the master that break no rule of the format, but differ from those that were copied or that the slave has.
 */
export interface Rot {
  /** The transaction that contains them, or their chunk if the transaction is unknown. */
  readonly position: number;
  /** The first such byte that is known. */
  readonly at: number;
  readonly tid: bigint;
  readonly rule: 'hash';
  readonly message: string;
  /** The slave does not have the bytes that were copied either. */
  readonly slaveToo?: boolean;
  /** The bytes may have changed on the slave instead. */
  readonly undecided?: boolean;
}
