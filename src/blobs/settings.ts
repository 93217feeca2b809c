import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import type { SlavePaths } from '../standby/paths.js';
import type { CopyWay } from './copier.js';

/** What the operator says about blobs. */
export interface BlobSettings {
  /** The blob directories. */
  readonly master: string;
  readonly slave: string;
  /** How the blobs are found: by the records that name them, or by comparing the directories. */
  readonly by: 'records' | 'tree';
  readonly way: CopyWay;
  /** Blobs that the master has packed away are moved aside, not removed. */
  readonly keepPacked: boolean;
}

/** What a run copies of how many. */
export type OnBlobs = (done: { readonly files: number; readonly bytes: number }, files: number) => void;

/** What the blobs of a run need of its context. */
export interface BlobContext {
  readonly paths: SlavePaths;
  readonly deadline: ReadDeadline;
  readonly report: (notice: Notice) => void;
  readonly onProgress: OnBlobs;
}
