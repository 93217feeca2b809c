import type { Stop } from '../filestorage/stop.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Switch } from '../standby/switch.js';

/** A place to go on from: everything before it on the slave is known to equal the master. */
export interface Resume {
  readonly position: number;
  readonly tid: bigint;
  readonly chunks: readonly ChunkLine[];
  /** Hash state of the last chunk; '' without chunks. */
  readonly tailState: string;
}

export type MasterState =
  | { readonly state: 'readable' }
  /** Not there, although it was looked for again for about a second. */
  | { readonly state: 'missing'; readonly reason: string }
  /** There, and not a Data.fs that could be copied. */
  | { readonly state: 'unfit'; readonly reason: string };

export type SlaveState =
  | { readonly state: 'missing' }
  | { readonly state: 'empty' }
  | { readonly state: 'there'; readonly size: number };

/** How far the slave's bytes equal the master's, seen from a place where they are known to. */
export interface Comparison extends Resume {
  /** The last transaction boundary up to which both are equal; the same as `position`. */
  readonly equalUpTo: number;
  readonly firstDifference: number;
  /** Position after the last transaction that a FileStorage would find on the slave. */
  readonly slaveEnd: number;
  /** What stopped the walk over the slave at `slaveEnd`. */
  readonly slaveStop: Stop['kind'];
  /** Where they part, each has a transaction of its own: not the same one, with other bytes in it. */
  readonly otherTransactions: boolean;
  /** The master itself breaks a rule before a difference was met. */
  readonly masterDamaged: Damage | undefined;
}

export type Damage = Extract<Stop, { kind: 'damaged' }>;

/** Bytes of the master, below the claim, that keep every rule of the format and are not those that were copied. */
export interface Rot {
  /** The transaction they are in, or the chunk where that cannot be told. */
  readonly position: number;
  /** The first of them that is known. */
  readonly at: number;
  readonly tid: bigint;
  readonly rule: 'hash';
  readonly message: string;
}

/** Transactions that only one side has. */
export interface Side {
  readonly count: number;
  /** Oldest and newest; undefined without any. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
}

export interface Parting {
  readonly onlyHere: Side;
  readonly onlyThere: Side;
  /** Of both sides' counts: the same tid stands on both, with other bytes; or a tid that its own records belie. */
  readonly doubtful: number;
  /** The newest transaction that both have. */
  readonly common: bigint | undefined;
  /** false: the search ended early, so both counts are lower bounds. */
  readonly complete: boolean;
}

export type Generation =
  /** `moved`: another file (another inode or mount) that holds the very same bytes. */
  /** `repairs`: old chunks that only the slave has wrong. */
  | { readonly kind: 'same'; readonly moved: boolean; readonly repairs?: readonly ChunkLine[] }
  /** What was copied last were pages of zeros that the master's client did not have yet: `resume` is the place before them. */
  | { readonly kind: 'stale'; readonly resume: Resume; readonly problem: string }
  | { readonly kind: 'other' }
  | { readonly kind: 'damaged'; readonly stop: Damage | Rot };

/** Whether the slave's last transaction is one of the master's. */
export type Presence =
  /** `newest` is its tid; zero for a slave without transactions. */
  | { readonly kind: 'present'; readonly newest: bigint }
  /**
   * Absent, and a pack may have dropped it, with all that the slave has behind `common`, the newest transaction that both
   * have. `superseded`: all that those wrote was written again by transactions that the pack took in, so there is nothing
   * in them that the master lacks.
   */
  | { readonly kind: 'packed-span'; readonly newest: bigint; readonly common: bigint; readonly superseded: boolean }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly stop: Damage };

/** Up to where the slave's own chunks verify. */
export interface Trusted extends Resume {
  /** Why this is not the claim. */
  readonly problem?: string;
  /** Where it is not: the master still has the bytes of the chunks that fail, as they were when they were copied. */
  readonly masterAgrees?: boolean;
  /** Then, if the slave is as long as is claimed: the claim itself, to be gone on from when `wrong` are repaired. */
  readonly repairable?: { readonly claim: Resume; readonly wrong: readonly ChunkLine[] };
}

export interface Facts {
  readonly switch: Switch;
  /** What a role that allows a decision means for a sync. */
  readonly role: 'slave' | 'promoted';
  readonly lock: 'ours' | 'syncpozo' | 'other';
  readonly master: MasterState;
  readonly full: boolean;
  readonly slave: SlaveState;
  /** What a usable `.dat` that describes this very slave file claims. */
  readonly claim: { readonly position: number; readonly tid: bigint } | undefined;
  /** Why there is no claim. */
  readonly datProblem: string | undefined;

  readonly trusted?: Trusted;
  /** The slave's bytes beyond `trusted`. */
  readonly beyond?: Comparison;
  /** The whole slave, of which nothing is known. */
  readonly comparison?: Comparison;
  readonly generation?: Generation;
  readonly presence?: Presence;
  readonly parting?: Parting;
  /** Whether the master has anything beyond the place to go on from that is not merely in flight. */
  readonly news?: boolean;
}

export type Look = 'trusted' | 'beyond' | 'comparison' | 'generation' | 'presence' | 'parting' | 'news';

export type Plan =
  | {
      readonly kind: 'off' | 'busy' | 'in-use' | 'out-of-reach' | 'unfit' | 'none';
      readonly row: number;
      readonly reason: string;
    }
  | { readonly kind: 'full'; readonly row: number; readonly reason: string }
  | { readonly kind: 'rebuild'; readonly row: number; readonly reason: string; readonly keepOld: boolean }
  | {
      readonly kind: 'adopt' | 'append';
      readonly row: number;
      readonly reason: string;
      readonly resume: Resume;
      /** Chunks before that place which only the slave has wrong. */
      readonly repairs?: readonly ChunkLine[];
    }
  | { readonly kind: 'grown' | 'parted'; readonly row: number; readonly reason: string; readonly hint: string }
  | { readonly kind: 'damaged'; readonly row: number; readonly stop: Damage | Rot };

/** A plan, or the look that is needed before there can be one. */
export type Decision = Plan | { readonly kind: 'look'; readonly at: Look };
