import type { SyncOptions } from '../round/run-sync.js';

/** Of a round, what the watch itself decides. */
type Decided = 'session' | 'deadline' | 'scrub' | 'log' | 'full' | 'dryRun' | 'statusFile' | 'onProgress' | 'onBlobs';

/** One storage, as a watch gets it. */
export interface WatchedStorage {
  readonly name: string;
  /** All of a round but what the watch decides. */
  readonly round: Omit<SyncOptions, Decided> & {
    readonly statusFile: string;
  };
  /** How much of the bytes copied earlier is read again a minute. */
  readonly scrub: NonNullable<SyncOptions['scrub']>;
  readonly timeoutSeconds: number;
}

/** What a watch learns of its rounds while they go on. */
export interface Turns {
  /** A check or a round has ended, with an answer of the master or without. */
  end(answered: boolean): void;
  /** A long round gets on. */
  progress(): void;
}
