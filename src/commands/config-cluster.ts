import type { ClusterSettings } from '../config/cluster.js';
import { set, type Value } from './config-value.js';

/** The cluster by the names of the file. */
export function clusterValues({ hosts, zeo, clients, web, ...cluster }: ClusterSettings): Value {
  return set({
    hosts: Object.fromEntries(hosts.map(({ name, address, heartbeat }) => [name, { address, heartbeat }])),
    address: cluster.address,
    interface: cluster.interface,
    'heartbeat-interface': cluster.heartbeatInterface,
    manager: cluster.manager,
    deadtime: cluster.deadtimeSeconds,
    ping: cluster.ping,
    'max-age': cluster.maxAgeSeconds,
    zeo: {
      control: zeo.control,
      port: zeo.port,
      user: zeo.user,
      'start-wait': zeo.startWaitSeconds,
      'stop-wait': zeo.stopWaitSeconds,
      'promote-wait': zeo.promoteWaitSeconds,
    },
    clients: set({
      restart: clients.restart.length > 0 ? clients.restart : undefined,
      caches: clients.caches.length > 0 ? clients.caches : undefined,
      'after-loss': clients.afterLoss,
    }),
    web: web && { check: web.check, service: web.service },
  });
}

/** The cluster as a part of the JSON of `config check`; see docs/json.md. */
export function clusterJson({ hosts, ping, web, ...cluster }: ClusterSettings): object {
  return {
    hosts: Object.fromEntries(hosts.map(({ name, address, heartbeat }) => [name, { address, heartbeat }])),
    address: cluster.address,
    interface: cluster.interface,
    heartbeatInterface: cluster.heartbeatInterface,
    manager: cluster.manager,
    deadtimeSeconds: cluster.deadtimeSeconds,
    ping: ping ?? null,
    maxAgeSeconds: cluster.maxAgeSeconds,
    zeo: { ...cluster.zeo },
    clients: { ...cluster.clients },
    web: web ? { ...web } : null,
  };
}
