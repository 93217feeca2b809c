import { readFileSync } from 'node:fs';
import { inProject } from '../../support/root.js';
import type { Host } from './host.js';

/** The site of a pair, and the Python environment of its ZEO and its Zope clients. */
export interface Site {
  /** Folders that the hosts see in /opt, read-only. */
  readonly shared: Readonly<Record<string, string>>;
  /** With bin/runzeo and bin/zeoctl, in the hosts. */
  readonly environment: string;
  /** Everything that a client needs before it is started. The unit zope.service of the product is there. */
  install(host: Host): Promise<void>;
  /** The site before the first day, in /srv/zeo. */
  make(host: Host): Promise<void>;
}

/** A small site of our own: site.py. */
export function smallSite(megabytes: number): Site {
  return {
    shared: {},
    environment: '/opt/venv',
    install: async (host) => {
      for (const name of ['site.py', 'blob_bytes.py', 'make_site.py'])
        await host.put(`/opt/site/${name}`, inCluster('support', name));
      const start = `/opt/venv/bin/python /opt/site/site.py 192.168.1.10:8100 8080 ${host.name} /srv/zope/var`;
      await replaceStart(host, start);
    },
    make: async (host) => {
      const make = `/opt/venv/bin/python /opt/site/make_site.py /srv/zeo/var/Data.fs /srv/zeo/blobs ${megabytes}`;
      await host.ok(make, { user: 'zope' });
    },
  };
}

/** Gives zope.service another command, as an administrator does. */
export async function replaceStart(host: Host, command: string): Promise<void> {
  await host.put('/etc/systemd/system/zope.service.d/site.conf', `[Service]\nExecStart=\nExecStart=${command}\n`);
}

/** The text of a file below test/cluster. */
export function inCluster(...names: readonly string[]): string {
  return readFileSync(inProject('test', 'cluster', ...names), 'utf8');
}
