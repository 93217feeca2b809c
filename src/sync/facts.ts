import type { Comparison } from '../lineage/compare.js';
import type { Generation } from '../lineage/generation.js';
import type { Sides } from '../lineage/sides.js';
import type { Lineage } from '../lineage/verdict.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import type { MasterState, SlaveState } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import type { Verified } from '../pipeline/verified.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Switch } from '../standby/switch.js';
import type { Standing } from './standing.js';

export interface Facts {
  readonly switch: Switch;
  /** The role, reduced to what a sync needs. */
  readonly role: 'slave' | 'promoted';
  readonly lock: 'ours' | 'syncpozo' | 'other';
  readonly master: MasterState;
  readonly standing: Standing;
  readonly full: boolean;
  readonly slave: SlaveState;
  /** The claim of a usable `.dat` that describes this slave file. */
  readonly claim: { readonly position: number; readonly tid: bigint } | undefined;
  /** Why there is no claim. */
  readonly datProblem: string | undefined;

  readonly verified?: Verified;
  /** The slave's bytes beyond `verified`. */
  readonly beyond?: Comparison;
  /** All bytes of a slave without a usable `.dat`. */
  readonly comparison?: Comparison;
  readonly generation?: Generation;
  /** Whether the slave has transactions behind `verified` that the master does not have at the same place. */
  readonly own?: boolean;
  /** Headers alone show that no pack of a continuation of the slave can have produced this master. */
  readonly forked?: boolean;
  /**
   * What a server would show of the slave: the position behind its last transaction, and whether the bytes that follow
   * are not an unfinished transaction.
   */
  readonly shown?: { readonly end: number; readonly brokenBehind: boolean };
  /** Whether the master has anything beyond the resume position that is not merely in flight. */
  readonly news?: boolean;
  /** For a refusal: what each side has and the other lacks. */
  readonly sides?: Sides;
}

export type Probe = 'verified' | 'beyond' | 'comparison' | 'generation' | 'own' | 'forked' | 'shown' | 'news' | 'sides';

/** Why the operator has to decide. */
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
      /** Slave transactions from this position on were never recorded as copied. */
      readonly ownFrom: number;
      /** Position behind the last transaction that a server would show of the slave. */
      readonly slaveEnd: number;
      /** Claimed bytes of the slave are missing or changed, or unreadable bytes follow the claim. */
      readonly unverified: boolean;
      /** The operator requests the rebuild, whatever the lineage is. */
      readonly forced: boolean;
    }
  | {
      readonly kind: 'adopt' | 'append';
      readonly row: number;
      readonly reason: string;
      readonly resume: Resume;
      /** Chunks before `resume` that are wrong on the slave only. */
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

/** What bytes beyond the verified part may hide. */
export type Hides = 'nothing' | 'something';

/** A plan, or the probe that is needed before there can be one. */
export type Decision = Plan | { readonly kind: 'probe'; readonly at: Probe };
