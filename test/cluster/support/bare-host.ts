import type { Manager } from '../../docs/host-blocks.js';
import type { Host } from './host.js';
import { providePackage } from './npm-package.js';
import { providePackages } from './site-packages.js';

/** Where npm puts global packages with the Node of nodejs.org, and with that of a Debian package. A cluster works with either. */
const PREFIX: Readonly<Record<Manager, string>> = {
  heartbeat: '/usr/local',
  keepalived: '/usr/local',
  pacemaker: '/usr',
};

/** As Debian's installer writes it: the host's own name, and nobody else's. */
const HOSTS = 'printf "127.0.0.1 localhost\\n127.0.1.1 $(uname -n).example.org $(uname -n)\\n" >/etc/hosts';

/**
 * Namespaces permit neither a real-time scheduler nor large socket buffers: corosync reads a copy of its configuration that says so.
 */
const COROSYNC = `[Service]
Environment=COROSYNC_MAIN_CONFIG_FILE=/run/corosync.conf
ExecStartPre=/bin/sh -c '{ cat /etc/corosync/corosync.conf; printf "system {\\\\n sched_rr: no\\\\n allow_knet_handle_fallback: yes\\\\n}\\\\n"; } >/run/corosync.conf'
`;

/**
 * Makes hosts what they are for a newcomer who has docs/cluster.md alone. They have no network beside each other, so what apt, pip and
 * npm would fetch is there; and the services run that apt would have started.
 */
export async function makeBare(hosts: readonly Host[], manager: Manager): Promise<void> {
  for (const host of hosts) {
    await host.ok(`${HOSTS}; userdel -r zope`);
    if (manager !== 'pacemaker') continue;
    await host.put('/etc/systemd/system/corosync.service.d/namespaces.conf', COROSYNC);
    await host.ok('systemctl daemon-reload; systemctl enable --now corosync pacemaker');
  }
  await providePackage(hosts, PREFIX[manager]);
  await providePackages(hosts);
}
