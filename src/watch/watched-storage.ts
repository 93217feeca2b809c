import type { SyncOptions } from '../round/run-sync.js';

/** Of a round, what the watch itself decides. */
type Decided = 'session' | 'deadline' | 'scrub' | 'log' | 'full' | 'dryRun' | 'statusFile' | 'onProgress' | 'onBlobs';

/** One storage, as a watch gets it. */
export interface WatchedStorage {
  readonly name: string;
  /** Storages of the same group are brought to one moment, or none of them; undefined: rounds of its own. */
  readonly group?: string | undefined;
  /** All of a round but what the watch decides. */
  readonly round: Omit<SyncOptions, Decided> & {
    readonly statusFile: string;
  };
  /** How much of the bytes copied earlier is read again a minute. */
  readonly scrub: NonNullable<SyncOptions['scrub']>;
  readonly timeoutSeconds: number;
}
