import type { Stop } from '../filestorage/stop.js';

export type Damage = Extract<Stop, { kind: 'damaged' }>;

/** Bytes of the master that keep every rule of the format, and are not those that were copied or that the slave has. */
export interface Rot {
  /** The transaction they are in, or the chunk where that cannot be told. */
  readonly position: number;
  /** The first of them that is known. */
  readonly at: number;
  readonly tid: bigint;
  readonly rule: 'hash';
  readonly message: string;
  /** They may as well have changed on the slave. */
  readonly undecided?: boolean;
}
