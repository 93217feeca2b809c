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
