import type { BlobCounts } from '../blobs/bring.js';
import type { BlobId } from '../blobs/layout.js';
import type { BlobSettings, OnBlobs } from '../blobs/settings.js';
import type { Magic } from '../filestorage/layout.js';
import type { Sides } from '../lineage/sides.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import type { Master } from '../pipeline/master.js';
import { observeSlave } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import type { MasterEnd } from '../pipeline/tail.js';
import { Copied } from '../pipeline/work.js';
import { NOT_SCRUBBED, type ScrubAmount, type Scrubbed } from '../scrub/round.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';

import type { SlavePaths } from '../standby/paths.js';
import type { Switch } from '../standby/switch.js';
import type { Facts, Plan } from './facts.js';

export interface SyncRequest {
  readonly masterPath: string;
  readonly full: boolean;
  /** Decide and report; write nothing. */
  readonly dryRun: boolean;
  readonly chunkBytes: number;
  readonly scrub: ScrubAmount;
  /** undefined: no blobs are copied; `given-up`: even though the slave's were until now. */
  readonly blobs: BlobSettings | 'given-up' | undefined;
  readonly onBlobs: OnBlobs;
  /** Read once the lock is held: until then a failover may still change the switch. */
  readonly readSwitch: () => Switch;
  /** Whether slave and `.dat` are as this process left them after a run in step. */
  readonly isAsLeft?: (() => boolean) | undefined;
  /**
   * A round of a rejoin: the role is `rejoining` and stays so, and the caller has proved that the master's file continues the
   * slave's claim, for as long as it is the file that the claim names.
   */
  readonly rejoins?: boolean | undefined;
  /** Called with the plan before it is executed. */
  readonly onPlan: (plan: Plan) => void;
}

/** How a run ended. The command line maps it to an exit status. */
export interface Outcome {
  readonly plan: Plan;
  /** The place up to which the slave now equals the master; undefined when unknown. */
  readonly reached: Resume | undefined;
  readonly master:
    | { readonly size: number; readonly magic: Magic; readonly device: string; readonly inode: string }
    | undefined;
  readonly slaveSize: number | undefined;
  readonly end: MasterEnd | undefined;
  readonly damage: Damage | Rot | undefined;
  /** For a refusal: what each side has and the other lacks. */
  readonly sides: Sides | undefined;
  /** Where an old slave is kept that a rebuild replaced, and why. */
  readonly kept?: { readonly path: string; readonly reason: string } | undefined;
  readonly copied: Copied;
  readonly scrubbed: Scrubbed;
  /** undefined: this run was not about blobs. */
  readonly blobs?: BlobsOutcome | undefined;
}

/** What a run did about blobs, and what the slave's claim says of them. */
export interface BlobsOutcome extends BlobCounts {
  readonly removed: number;
  readonly claim: BlobsClaim | undefined;
  /** Blobs that the slave has wrong, and the master as well. */
  readonly lost: readonly BlobId[];
}

/** A master that can be read. */
export interface Observed {
  readonly master: Master;
  readonly magic: Magic;
}

export function masterOf({ master, magic }: Observed): NonNullable<Outcome['master']> {
  const { device, inode, size } = master.facts;
  return { size, magic, device, inode };
}

/** The outcome of a plan that writes nothing. */
export function settled(plan: Plan, facts: Facts, observed: Observed | undefined, paths: SlavePaths): Outcome {
  return {
    plan,
    reached: plan.kind === 'none' ? facts.verified : undefined,
    master: observed && masterOf(observed),
    slaveSize: observeSize(paths),
    end: undefined,
    damage: plan.kind === 'damaged' ? plan.stop : undefined,
    sides: facts.sides,
    copied: new Copied(),
    scrubbed: NOT_SCRUBBED,
  };
}

/** The slave's current size in bytes. */
export function observeSize(paths: SlavePaths): number | undefined {
  const { state } = observeSlave(paths);
  return state.state === 'there' ? state.size : undefined;
}
