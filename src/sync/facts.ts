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

  readonly verified?: Verified;
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

export type Probe = 'verified' | 'beyond' | 'comparison' | 'generation' | 'own' | 'forked' | 'shown' | 'news' | 'sides';

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
export type Decision = Plan | { readonly kind: 'probe'; readonly at: Probe };
