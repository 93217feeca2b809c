import {
  ADDRESS,
  ADDRESS_IN_NETWORK,
  CACHES,
  CONTROL,
  DEADTIME,
  HOST_NAME,
  INTERFACE,
  PORT,
  PROGRAM,
  SERVICE,
  USER,
} from './cluster-values.js';
import { BOOLEAN, mapping, named, optional, required, type ValuesOf } from './schema.js';
import { DURATION, oneOf, WEB_ADDRESS } from './values.js';

/** Every key of the section `cluster`; docs/configuration.md explains them. */

const HOST = {
  address: required(ADDRESS),
  heartbeat: optional(ADDRESS),
};

const ZEO = {
  control: required(CONTROL),
  port: optional(PORT),
  user: optional(USER),
  'start-wait': optional(DURATION),
  'stop-wait': optional(DURATION),
  'promote-wait': optional(DURATION),
};

const CLIENTS = {
  restart: optional(PROGRAM),
  caches: optional(CACHES),
  'after-loss': optional(BOOLEAN),
};

const WEB = {
  check: required(WEB_ADDRESS),
  service: optional(SERVICE),
};

const KEYS = {
  hosts: required(named('two hosts by their names', HOST_NAME, mapping('{ address: 192.168.1.11 }', HOST))),
  address: required(ADDRESS_IN_NETWORK),
  interface: required(INTERFACE),
  'heartbeat-interface': optional(INTERFACE),
  manager: optional(oneOf('heartbeat', 'keepalived', 'pacemaker')),
  deadtime: optional(DEADTIME),
  ping: optional(ADDRESS),
  'max-age': optional(DURATION),
  zeo: required(mapping('{ control: /srv/zeo/bin/zeoctl }', ZEO)),
  clients: optional(mapping('{ restart: [PROGRAM, ARGUMENT], caches: [PATTERN] }', CLIENTS)),
  web: optional(mapping('{ check: URL }', WEB)),
};
export type ClusterValues = ValuesOf<typeof KEYS>;

export const CLUSTER = mapping('keys with values: hosts, address, interface and zeo at least', KEYS);
