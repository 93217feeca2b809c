import type { Stop } from '../filestorage/stop.js';
import type { Sides } from '../lineage/sides.js';
import type { Lineage } from '../lineage/verdict.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Refusal } from '../standby/role.js';
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
  /** The master itself breaks a rule before a difference was met. */
  readonly masterDamaged: Damage | undefined;
}

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

/** Whether the master still has the bytes in its place that were copied. */
export type Generation =
  /** `moved`: another file (another inode or mount) that holds the very same bytes. */
  /** `repairs`: old chunks that only the slave has wrong. */
  | { readonly kind: 'same'; readonly moved: boolean; readonly repairs?: readonly ChunkLine[] }
  /** What was copied last were pages of zeros that the master's client did not have yet: `resume` is the place before them. */
  | { readonly kind: 'stale'; readonly resume: Resume; readonly problem: string }
  /** Other transactions, or the same ones elsewhere: what it is to the slave is for the lineage to say. */
  | { readonly kind: 'other' }
  | { readonly kind: 'damaged'; readonly stop: Damage | Rot };

/** Up to where the slave's own chunks verify. */
export interface Trusted extends Resume {
  /** Why this is not the claim. */
  readonly problem?: string;
  /** Where it is not: the master still has the bytes of the chunks that fail, as they were when they were copied. */
  readonly masterAgrees?: boolean;
  /** The master has the same transactions there, with other bytes than were copied: they have changed on its disk. */
  readonly masterRot?: Rot;
  /** Then, if the slave is as long as is claimed: the claim itself, to be gone on from when `wrong` are repaired. */
  readonly repairable?: { readonly claim: Resume; readonly wrong: readonly ChunkLine[] };
}

/** Who the two sides are, by their role files. */
export interface Standing {
  /** The highest term in which the master has served, and that this slave has seen; 0: none. */
  readonly masterTerm: number;
  readonly slaveTerm: number;
  /** A refusal that stands. */
  readonly refusal: Refusal | undefined;
  /** MASTER is a slave of SLAVE's, as far as its own files say. */
  readonly swapped: boolean;
  /** The master's role file cannot be used. */
  readonly problem: string | undefined;
}

export interface Facts {
  readonly switch: Switch;
  /** What a role that allows a decision means for a sync. */
  readonly role: 'slave' | 'promoted';
  readonly lock: 'ours' | 'syncpozo' | 'other';
  readonly master: MasterState;
  readonly standing: Standing;
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
  /** Whether the slave has transactions behind `trusted` that the master has not in the same place. */
  readonly own?: boolean;
  /** Headers alone show that no pack can have made this master of a continuation of the slave. */
  readonly forked?: boolean;
  /** What a server would show of the slave: position behind the last transaction, and whether bytes follow that it would not take for an unfinished one. */
  readonly shown?: { readonly end: number; readonly brokenBehind: boolean };
  /** Whether the master has anything beyond the place to go on from that is not merely in flight. */
  readonly news?: boolean;
  /** For a refusal: what each side has and the other lacks. */
  readonly sides?: Sides;
}

export type Look = 'trusted' | 'beyond' | 'comparison' | 'generation' | 'own' | 'forked' | 'shown' | 'news' | 'sides';

/** Why a person has to decide. */
export type RefusedLineage = Lineage | 'superseded' | 'swapped' | 'role';

export type Plan =
  | {
      readonly kind: 'off' | 'busy' | 'in-use' | 'out-of-reach' | 'unfit' | 'none';
      readonly row: number;
      readonly reason: string;
    }
  | { readonly kind: 'full'; readonly row: number; readonly reason: string }
  | {
      readonly kind: 'rebuild';
      readonly row: number;
      readonly reason: string;
      /** The slave's transactions from here on were never recorded as copied. */
      readonly ownFrom: number;
      /** Position behind the last transaction that a server would show of the slave. */
      readonly slaveEnd: number;
      /** What is claimed of the slave is not all there, or not as it was copied; or bytes follow that nobody could read. */
      readonly unverified: boolean;
      /** A person asks for it whatever the lineage is. */
      readonly forced: boolean;
    }
  | {
      readonly kind: 'adopt' | 'append';
      readonly row: number;
      readonly reason: string;
      readonly resume: Resume;
      /** Chunks before that place which only the slave has wrong. */
      readonly repairs?: readonly ChunkLine[];
    }
  | {
      readonly kind: 'grown' | 'forked';
      readonly row: number;
      readonly reason: string;
      readonly hint: string;
      readonly lineage: RefusedLineage;
    }
  | { readonly kind: 'damaged'; readonly row: number; readonly stop: Damage | Rot };

export type RefusedPlan = Extract<Plan, { kind: 'grown' | 'forked' }>;

/** A plan, or the look that is needed before there can be one. */
export type Decision = Plan | { readonly kind: 'look'; readonly at: Look };
