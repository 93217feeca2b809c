import { EVENT_NAMES } from '../events/event.js';
import { MOMENTS } from '../events/hook-settings.js';
import { CLUSTER } from './cluster-schema.js';
import { BOOLEAN, type Keys, mapping, named, optional, required, type ValuesOf } from './schema.js';
import {
  COMMAND,
  DURATION,
  FILE_NAME,
  INTERVAL,
  KEPT,
  LISTEN,
  NAME,
  oneOf,
  PATH,
  SCRUB,
  SIZE,
  WEB_ADDRESS,
} from './values.js';

/** Every key of the configuration file; docs/configuration.md explains them. */

const BLOBS = {
  master: required(PATH),
  slave: required(PATH),
  by: optional(oneOf('records', 'tree')),
  as: optional(oneOf('copy', 'reflink', 'link')),
  keep: optional(BOOLEAN),
};

const STORAGE = {
  master: required(PATH),
  slave: required(PATH),
  file: optional(FILE_NAME),
  blobs: optional(mapping('{ master: DIRECTORY, slave: DIRECTORY }', BLOBS)),
  'status-file': optional(PATH),
  group: optional(NAME),
  scrub: optional(SCRUB),
  timeout: optional(DURATION),
  'chunk-size': optional(SIZE),
  'keep-packed': optional(KEPT),
};
export type StorageValues = ValuesOf<typeof STORAGE>;

const WATCH = {
  interval: optional(INTERVAL),
  listen: optional(LISTEN),
  textfile: optional(PATH),
  heartbeat: optional(WEB_ADDRESS),
};

const HOOKS: Keys = {
  ...Object.fromEntries([...EVENT_NAMES, ...MOMENTS].map((name) => [name, optional(COMMAND)])),
  timeout: optional(DURATION),
};

export const FILE = mapping('a configuration: storages with a master and a slave each', {
  storages: required(named('storages by their names', NAME, mapping('{ master: PATH, slave: PATH }', STORAGE))),
  'status-file': optional(PATH),
  watch: optional(mapping('keys with values, such as { interval: 1s }', WATCH)),
  hooks: optional(mapping('commands by the events that they are for', HOOKS)),
  cluster: optional(CLUSTER),
});

/** Every key by its place, as `storages.*.blobs.by`. */
export function everyKey(keys: Keys = FILE.keys ?? {}, prefix = ''): string[] {
  return Object.entries(keys).flatMap(([name, { kind }]) => {
    const path = `${prefix}${name}`;
    return [path, ...everyKey(kind.keys ?? {}, `${path}.`)];
  });
}
