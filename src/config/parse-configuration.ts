import type { BlobSettings } from '../blobs/settings.js';
import { sideOf } from '../standby/paths.js';
import { clusterOf } from './cluster.js';
import { compareCluster } from './compare-cluster.js';
import { compareStorages } from './compare-storages.js';
import type { Configuration, StorageSettings } from './configuration.js';
import { DEFAULTS } from './defaults.js';
import { FILE, type StorageValues } from './file-schema.js';
import { Mistakes } from './mistakes.js';
import { parseTree } from './yaml-tree.js';

/** A configuration, or its mistakes, one a line; no line at all: the file is empty. */
export type Parsed = { readonly configuration: Configuration } | { readonly mistakes: readonly string[] };

type NamedStorage = { readonly name: string; readonly value: StorageValues };

/** What a configuration file says. `statusFile`: where the file names none. It is a bundle of its own, with the YAML library. */
export function parseConfiguration(text: string, path: string, statusFile: string): Parsed {
  const mistakes = new Mistakes(path);
  const tree = parseTree(text, mistakes);
  const values = tree && FILE.read(tree, '', mistakes);
  if (tree) compareStorages(tree, mistakes);
  if (tree) compareCluster(tree, mistakes);
  if (!mistakes.none || !values) return { mistakes: mistakes.lines };
  const { watch, hooks, cluster } = values;
  const { timeout, ...commands } = (hooks ?? {}) as { timeout?: number } & Record<string, readonly string[]>;
  return {
    configuration: {
      path,
      storages: values.storages.map((each) => storageOf(each, values['status-file'] ?? statusFile)),
      statusFile: values['status-file'] ?? statusFile,
      watch: {
        intervalSeconds: watch?.interval ?? DEFAULTS.intervalSeconds,
        listen: watch?.listen,
        textfile: watch?.textfile,
        heartbeat: watch?.heartbeat,
      },
      hooks: { commands, timeoutSeconds: timeout ?? DEFAULTS.hookTimeoutSeconds },
      cluster: cluster && clusterOf(cluster),
    },
  };
}

function storageOf({ name, value }: NamedStorage, statusFile: string): StorageSettings {
  return {
    name,
    master: value.master,
    slave: value.slave,
    file: value.file ?? nameOfMaster(value),
    blobs: value.blobs && blobsOf(value.blobs),
    statusFile: value['status-file'] ?? statusFile,
    group: value.group,
    scrub: value.scrub ?? DEFAULTS.scrub,
    timeoutSeconds: value.timeout ?? DEFAULTS.timeoutSeconds,
    chunkBytes: value['chunk-size'],
    keepPacked: value['keep-packed'] ?? DEFAULTS.keepPacked,
  };
}

/** The slave of a master that is given as a file has its name. Commands that never touch the master need to know it. */
function nameOfMaster({ master, slave }: StorageValues): string | undefined {
  return sideOf(slave, undefined, undefined).name === undefined ? sideOf(master, undefined, undefined).name : undefined;
}

function blobsOf({ master, slave, by, as, keep }: NonNullable<StorageValues['blobs']>): BlobSettings {
  return { master, slave, by: by ?? 'records', way: as ?? 'copy', keepPacked: keep ?? false };
}
