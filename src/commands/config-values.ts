import type { Configuration, StorageSettings } from '../config/configuration.js';
import { formatListen } from '../config/listen.js';
import { clusterJson, clusterValues } from './config-cluster.js';
import { set, type Value } from './config-value.js';

export type { Value } from './config-value.js';

/** The value of a key by the names of the file; undefined where nothing is set. */
export function valueAt(configuration: Configuration, path: readonly string[]): Value | undefined {
  let value: Value | undefined = valuesOf(configuration);
  for (const name of path) {
    if (typeof value !== 'object' || Array.isArray(value)) return undefined;
    const inside: { readonly [key: string]: Value | undefined } = value as {
      readonly [key: string]: Value | undefined;
    };
    value = Object.hasOwn(inside, name) ? inside[name] : undefined;
  }
  return value;
}

/** The configuration by the names of its file. */
function valuesOf({ storages, statusFile, watch, hooks, cluster }: Configuration): Value {
  return set({
    storages: Object.fromEntries(storages.map((storage) => [storage.name, storageValues(storage)])),
    'status-file': statusFile,
    watch: set({
      interval: watch.intervalSeconds,
      listen: watch.listen && formatListen(watch.listen),
      textfile: watch.textfile,
      heartbeat: watch.heartbeat,
    }),
    hooks: { ...hooks.commands, timeout: hooks.timeoutSeconds },
    cluster: cluster && clusterValues(cluster),
  });
}

function storageValues({ master, slave, file, blobs, statusFile, group, scrub, ...rest }: StorageSettings): Value {
  return set({
    master,
    slave,
    file,
    blobs: blobs && { master: blobs.master, slave: blobs.slave, by: blobs.by, as: blobs.way, keep: blobs.keepPacked },
    'status-file': statusFile,
    group,
    scrub,
    timeout: rest.timeoutSeconds,
    'chunk-size': rest.chunkBytes,
    'keep-packed': rest.keepPacked,
  });
}

/** The configuration as the JSON of `config check`; see docs/json.md. null: not set. */
export function configurationJson({ path, storages, statusFile, watch, hooks, cluster }: Configuration): object {
  return {
    path,
    statusFile,
    storages: Object.fromEntries(storages.map((storage) => [storage.name, storageJson(storage)])),
    watch: {
      intervalSeconds: watch.intervalSeconds,
      listen: watch.listen ? formatListen(watch.listen) : null,
      textfile: watch.textfile ?? null,
      heartbeat: watch.heartbeat ?? null,
    },
    hooks: {
      timeoutSeconds: hooks.timeoutSeconds,
      commands: Object.entries(hooks.commands).map(([event, command]) => ({ event, command })),
    },
    cluster: cluster ? clusterJson(cluster) : null,
  };
}

function storageJson({ master, slave, file, blobs, statusFile, group, scrub, ...rest }: StorageSettings): object {
  return {
    master,
    slave,
    file: file ?? null,
    blobs: blobs
      ? { master: blobs.master, slave: blobs.slave, by: blobs.by, as: blobs.way, keep: blobs.keepPacked }
      : null,
    statusFile,
    group: group ?? null,
    scrub,
    timeoutSeconds: rest.timeoutSeconds,
    chunkBytes: rest.chunkBytes ?? null,
    keepPacked: rest.keepPacked,
  };
}
