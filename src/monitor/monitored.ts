import type { Standing } from '../report/standing.js';

/** What a watch shows of itself. Times are milliseconds since the epoch, durations seconds. */
export interface Monitored {
  readonly version: string;
  readonly host: string;
  readonly startedAt: number;
  readonly intervalSeconds: number;
  readonly storages: readonly MonitoredStorage[];
}

export interface MonitoredStorage {
  /** The name in the configuration, or `main`. */
  readonly name: string;
  /** Path of the slave's file, as in its standings. */
  readonly slave: string;
  /**
   * What `status --json` prints. Reads the slave's own files; what it says of the master is what the last check found. Throws
   * what a `status` would throw.
   */
  standing(): Promise<Standing>;
  readonly figures: RoundFigures;
  /** Newest last; at most some hours. */
  readonly lagHistory: readonly LagPoint[];
}

/** What a watch has counted of one storage since it began. */
export interface RoundFigures {
  /** Checks and rounds that have ended, by the action of their result (`none`, `append`, `failed` and so on). */
  readonly rounds: Readonly<Record<string, number>>;
  /** Rounds that failed, by the kind of their trouble (`out-of-reach`, `fault`, `damaged` and so on). */
  readonly faults: Readonly<Record<string, number>>;
  readonly copiedBytes: number;
  readonly copiedTransactions: number;
  readonly copiedBlobs: number;
  readonly copiedBlobBytes: number;
  readonly scrubbedBytes: number;
  /** Wrong pieces that a scrub has found. */
  readonly scrubbedBad: number;
  /** Seconds spent, by phase: `check` (nothing but checking), `copy`, `rebuild`, `failed`. */
  readonly phaseSeconds: Readonly<Record<string, number>>;
  /** How the last check or round ended. */
  readonly last: RoundEnd | undefined;
  /** Why bytes or blobs of the slave are known or supposed to be wrong; undefined: not known, or a round in step has followed. */
  readonly damagedSlave: string | undefined;
  /** When the last check or round began that found or left the slave in step: what was committed before is on the slave. */
  readonly inStepAsOf: number | undefined;
  /** Since when a round has been running. */
  readonly runningSince: number | undefined;
  /** Since when a read of the master has hung. */
  readonly hungSince: number | undefined;
  /** Reads that were given up and still hang. */
  readonly hungReads: number;
}

export interface RoundEnd {
  readonly beganAt: number;
  readonly endedAt: number;
  readonly action: string;
  readonly exitCode: number;
  readonly reason: string;
  readonly hint: string | null;
}

/** The largest lag of one minute: the age of the oldest transaction that a check found missing. */
export interface LagPoint {
  /** Beginning of the minute. */
  readonly time: number;
  /** null: not known, because no check succeeded. */
  readonly seconds: number | null;
}
