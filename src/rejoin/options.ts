import type { SlaveEvent } from '../events/event.js';
import type { Veto } from '../events/hooks.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Log } from '../report/log.js';
import type { SyncOptions } from '../round/run-sync.js';
import type { SlavePaths } from '../standby/paths.js';

export interface RejoinOptions {
  /** Data directories, or the paths of the files. */
  readonly master: string;
  readonly slave: string;
  readonly file: string | undefined;
  readonly statusFile: string;
  readonly full: boolean;
  readonly dryRun: boolean;
  /** Do not set the switch on at the end. */
  readonly keepSwitch: boolean;
  readonly deadline: ReadDeadline;
  readonly log: Log;
  /** What a sync of this slave has besides. */
  readonly sync: Pick<SyncOptions, 'blobs' | 'chunkBytes' | 'workers' | 'index' | 'onProgress' | 'onBlobs'>;
  /** The storage's name in the configuration. */
  readonly storage: string | undefined;
  /** Receives lines for people: each step, before it is done. */
  readonly say: (text: string) => void;
  /** Asks for the operator's consent, after all was explained. */
  readonly confirm: () => boolean | Promise<boolean>;
  /** Asks the hook before-rejoin; undefined: it has no objection. */
  readonly before: (paths: SlavePaths, facts: Record<string, string | number | null>) => Promise<Veto | undefined>;
  readonly onEvents: (events: readonly SlaveEvent[]) => void;
}
