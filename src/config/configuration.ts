import type { BlobSettings } from '../blobs/settings.js';
import type { HookSettings } from '../events/hook-settings.js';
import type { ScrubAmount } from '../scrub/round.js';
import type { ClusterSettings } from './cluster.js';
import type { ListenAddress } from './listen.js';

export type { HookSettings } from '../events/hook-settings.js';

/** A configuration file without a mistake. Durations are in seconds, paths are absolute. */
export interface Configuration {
  readonly path: string;
  /** In the order of the file; at least one. */
  readonly storages: readonly StorageSettings[];
  /** Of storages that name none of their own. */
  readonly statusFile: string;
  readonly watch: WatchSettings;
  readonly hooks: HookSettings;
  /** undefined: this host is in no cluster. */
  readonly cluster: ClusterSettings | undefined;
}

/** One storage of a site: two sides of the same Data.fs. */
export interface StorageSettings {
  readonly name: string;
  readonly master: string;
  readonly slave: string;
  /** Name of the file, where a directory is given: as set, or that of a master that is given as a file. */
  readonly file: string | undefined;
  readonly blobs: BlobSettings | undefined;
  /** The storage's own, or the one of the file's top level, or the default. */
  readonly statusFile: string;
  /** Storages with the same group are brought to a common point in time by `--together`. */
  readonly group: string | undefined;
  readonly scrub: ScrubAmount;
  /** Of a read of the master without progress. */
  readonly timeoutSeconds: number;
  /** undefined: the default of a sync. */
  readonly chunkBytes: number | undefined;
  /** How many files that rebuilds replace after a pack stay. */
  readonly keepPacked: number;
}

export interface WatchSettings {
  readonly intervalSeconds: number;
  /** Where figures and the status page are served; undefined: nowhere. */
  readonly listen: ListenAddress | undefined;
  /** A file for node_exporter's textfile collector. */
  readonly textfile: string | undefined;
  /** A URL that is called after rounds that leave every storage in step. */
  readonly heartbeat: string | undefined;
}
