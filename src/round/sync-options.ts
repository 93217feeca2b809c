import type { BlobSettings, OnBlobs } from '../blobs/settings.js';
import type { SlaveEvent } from '../events/event.js';
import type { Companion } from '../pipeline/companion.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Log } from '../report/log.js';
import type { ScrubAmount } from '../scrub/round.js';
import type { Plan } from '../sync/facts.js';
import type { RoundSession } from './session.js';

/** What a round is to do, and for whom. */
export interface SyncOptions {
  /** Data directory, or the path of the file itself. */
  readonly master: string;
  readonly slave: string;
  readonly full?: boolean;
  readonly dryRun?: boolean;
  /** Name of the file in a directory; for the default see nameInDirectory. */
  readonly file?: string | undefined;
  readonly statusFile?: string;
  readonly chunkBytes?: number;
  readonly windowBytes?: number;
  readonly batchBytes?: number;
  readonly workers?: number;
  /** How much of the bytes copied earlier is read again; nothing by default. */
  readonly scrub?: ScrubAmount;
  /** undefined: no blobs; `given-up`: the slave's blobs are not synced any more. */
  readonly blobs?: BlobSettings | 'given-up' | undefined;
  readonly onBlobs?: OnBlobs;
  /** How many files that rebuilds replace after a pack stay; none by default. */
  readonly keepPacked?: number | undefined;
  /** false: no index is written beside the slave. */
  readonly index?: boolean;
  readonly indexLagBytes?: number;
  readonly log?: Log;
  readonly deadline?: ReadDeadline;
  /** What is kept from round to round; it has its own deadline. */
  readonly session?: RoundSession | undefined;
  readonly onProgress?: (position: number, size: number) => void;
  /** The storage's name in the configuration, for its events. */
  readonly storage?: string | undefined;
  /** Called once the lock is released and the outcome is recorded. It does not throw. */
  readonly onEvents?: (events: readonly SlaveEvent[]) => void;
  /** The round before a promotion: appends, whatever the switch says, or does nothing; see onlyAppend. */
  readonly catchUp?: boolean;
  /** The other storages of a group; see runTogether. */
  readonly member?: Member;
  readonly rejoin?: RejoinRound;
}

/** A round of a rejoin: its caller holds the slave's lock, and the switch and the role do not keep the round from its work. */
export interface RejoinRound {
  /** The slave and its `.dat` are as this process left them. */
  readonly isAsLeft: boolean;
  /** Receives the plan and the master's length, and throws if it must not be executed. */
  readonly gate: (plan: Plan, masterBytes: number) => void;
}

/** One storage of a group. */
export interface Member extends Companion {
  /** Whether the group starts over because of this error: it is neither logged nor recorded. */
  startsOver(error: unknown): boolean;
}
