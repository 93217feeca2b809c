import type { Host } from './host.js';
import type { Network } from './network.js';
import { inCluster, type Site, smallSite } from './site.js';

/** What the two hosts of a pair get before they run: as docs/cluster.md has it, with a site of our own in the place of Plone. */

export type Manager = 'heartbeat' | 'keepalived' | 'pacemaker';

export interface PairSettings {
  /** The cluster manager; heartbeat by default. */
  readonly manager?: Manager;
  readonly deadtime?: string;
  /** An address that both hosts can reach in any partition; empty: no host asks whether it is isolated. */
  readonly ping?: string;
  /** Of the small site before the first day. */
  readonly megabytes?: number;
  /** By default the small site. */
  readonly site?: Site;
  /** What a manager needs of a person, when both hosts have their data and before the services start. */
  readonly prepare?: (network: Network) => Promise<void>;
}

export function configuration({ manager = 'heartbeat', deadtime = '5s', ping = '192.168.1.1' }: PairSettings): string {
  return `storages:
  main:
    master: /mnt/peer/zeo/var
    slave: /srv/zeo/var
    blobs: { master: /mnt/peer/zeo/blobs, slave: /srv/zeo/blobs }
status-file: /srv/zeo/var/syncPozo.status
watch: { interval: 1s, listen: 127.0.0.1:9177 }
cluster:
  hosts:
    m1: { address: 192.168.1.11, heartbeat: 10.0.0.11 }
    m2: { address: 192.168.1.12, heartbeat: 10.0.0.12 }
  address: 192.168.1.10/24
  interface: eth0
  heartbeat-interface: eth1
  manager: ${manager}
  deadtime: ${deadtime}
${ping === '' ? '' : `  ping: ${ping}\n`}  zeo: { control: /srv/zeo/bin/zeoctl, port: 8100, user: zope }
  clients: { restart: [systemctl, restart, zope.service], caches: [/srv/zope/var/*.zec] }
  web: { check: "http://127.0.0.1/balancer-manager", service: apache2 }
`;
}

export function siteOf({ site, megabytes = 5 }: PairSettings): Site {
  return site ?? smallSite(megabytes);
}

/** A ZEO instance in mkzeoinstance's layout, with the programs of a Python environment. */
export function instance(environment: string): string {
  return `
install -d -o zope -g zope /srv/zeo /srv/zeo/bin /srv/zeo/etc /srv/zeo/log /srv/zeo/var /srv/zeo/blobs /srv/zope /srv/zope/var
for program in runzeo zeoctl; do
  printf '#!/bin/sh\\nexec ${environment}/bin/%s -C /srv/zeo/etc/zeo.conf "$@"\\n' "$program" >"/srv/zeo/bin/$program"
  chmod 755 "/srv/zeo/bin/$program"
done`;
}

/** Everything but the keys, the first data and the services. */
export async function install(host: Host, settings: PairSettings): Promise<void> {
  const site = siteOf(settings);
  await host.ok(instance(site.environment));
  await host.put('/srv/zeo/etc/zeo.conf', inCluster('support', 'zeo.conf'));
  await host.put('/etc/syncpozo.yml', configuration(settings));
  await host.ok(`
    install -m 644 /opt/syncpozo/scripts/systemd/zope.service /etc/systemd/system/
    /opt/syncpozo/scripts/install.sh --host ${host.name}
    a2dissite -q 000-default
    systemctl restart apache2`);
  await site.install(host);
}

/** What install.sh leaves to a person: heartbeat's key on both hosts, and each host's right to read the data of the other one. */
export async function exchangeKeys(m1: Host, m2: Host): Promise<void> {
  const authkeys = '/etc/ha.d/authkeys';
  if ((await m1.inside(`test -e ${authkeys}`)).status === 0)
    await m2.put(authkeys, await m1.read(authkeys), { mode: '600' });
  for (const [host, peer] of [
    [m1, m2],
    [m2, m1],
  ] as const) {
    await host.ok(`ssh-keyscan -t ed25519 ${peer.address} 2>/dev/null >/etc/syncpozo/ssh/known_hosts`);
    const key = await host.read('/etc/syncpozo/ssh/id_ed25519.pub');
    const line = `restrict,from="${host.address}",command="internal-sftp -R" ${key}`;
    await peer.put('/home/zope/.ssh/authorized_keys', line, { mode: '600', owner: 'zope' });
  }
}
