import type { ClusterValues } from './cluster-schema.js';

/** The cluster that the two hosts make up. Durations are in seconds. */
export interface ClusterSettings {
  /** Two, in the order of the file. */
  readonly hosts: readonly ClusterHost[];
  /** The floating one, with the length of its network. */
  readonly address: string;
  readonly interface: string;
  readonly heartbeatInterface: string;
  readonly manager: 'heartbeat' | 'keepalived' | 'pacemaker';
  readonly deadtimeSeconds: number;
  /** Of a router; undefined: a host does not ask whether it is alone. */
  readonly ping: string | undefined;
  /** A slave that was in step longer ago is promoted by a person only. */
  readonly maxAgeSeconds: number;
  readonly zeo: ZeoSettings;
  readonly clients: ClientSettings;
  readonly web: WebSettings | undefined;
}

export interface ClusterHost {
  readonly name: string;
  readonly address: string;
  /** Its address on the second link, or the same one. */
  readonly heartbeat: string;
}

export interface ZeoSettings {
  readonly control: string;
  readonly port: number;
  readonly user: string;
  readonly startWaitSeconds: number;
  readonly stopWaitSeconds: number;
  readonly promoteWaitSeconds: number;
}

export interface ClientSettings {
  /** A command with its arguments; empty: none is set. */
  readonly restart: readonly string[];
  /** Patterns of cache files. */
  readonly caches: readonly string[];
  readonly afterLoss: boolean;
}

export interface WebSettings {
  readonly check: string;
  readonly service: string;
}

/** What applies where the file sets nothing. */
export const CLUSTER_DEFAULTS = {
  manager: 'heartbeat',
  deadtimeSeconds: 5,
  maxAgeSeconds: 3600,
  port: 8100,
  user: 'zope',
  startWaitSeconds: 300,
  stopWaitSeconds: 60,
  promoteWaitSeconds: 20,
  service: 'apache2',
} as const;

export function clusterOf(values: ClusterValues): ClusterSettings {
  const { hosts, zeo, clients, web } = values;
  return {
    hosts: hosts.map(({ name, value }) => ({
      name,
      address: value.address,
      heartbeat: value.heartbeat ?? value.address,
    })),
    address: values.address,
    interface: values.interface,
    heartbeatInterface: values['heartbeat-interface'] ?? values.interface,
    manager: values.manager ?? CLUSTER_DEFAULTS.manager,
    deadtimeSeconds: values.deadtime ?? CLUSTER_DEFAULTS.deadtimeSeconds,
    ping: values.ping,
    maxAgeSeconds: values['max-age'] ?? CLUSTER_DEFAULTS.maxAgeSeconds,
    zeo: {
      control: zeo.control,
      port: zeo.port ?? CLUSTER_DEFAULTS.port,
      user: zeo.user ?? CLUSTER_DEFAULTS.user,
      startWaitSeconds: zeo['start-wait'] ?? CLUSTER_DEFAULTS.startWaitSeconds,
      stopWaitSeconds: zeo['stop-wait'] ?? CLUSTER_DEFAULTS.stopWaitSeconds,
      promoteWaitSeconds: zeo['promote-wait'] ?? CLUSTER_DEFAULTS.promoteWaitSeconds,
    },
    clients: {
      restart: clients?.restart ?? [],
      caches: clients?.caches ?? [],
      afterLoss: clients?.['after-loss'] ?? true,
    },
    web: web && { check: web.check, service: web.service ?? CLUSTER_DEFAULTS.service },
  };
}
