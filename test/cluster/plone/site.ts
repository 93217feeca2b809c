import type { Host } from '../support/host.js';
import { inCluster, replaceStart, type Site } from '../support/site.js';
import { IN_HOSTS } from './environment.js';

/** A real Plone in the place of the small site: `folder` is its environment. Set up as docs/cluster.md has it. */
export function ploneSite(folder: string): Site {
  return {
    shared: { plone: folder },
    environment: IN_HOSTS,
    install: async (host) => {
      await asZope(host, `${IN_HOSTS}/bin/mkwsgiinstance -d /srv/zope -u admin:secret`);
      await host.put('/srv/zope/etc/zope.conf', inCluster('plone', 'zope.conf'), { owner: 'zope' });
      await host.ok("sed -i 's/^host = .*/host = 0.0.0.0/' /srv/zope/etc/zope.ini");
      await replaceStart(host, `${IN_HOSTS}/bin/runwsgi /srv/zope/etc/zope.ini`);
    },
    make: async (host) => {
      await host.put('/opt/site/make_site.conf', inCluster('plone', 'make_site.conf'));
      await host.put('/opt/site/make_site.py', inCluster('plone', 'make_site.py'));
      await asZope(
        host,
        `cd /srv/zope && ${IN_HOSTS}/bin/zconsole run /opt/site/make_site.conf /opt/site/make_site.py`,
      );
    },
  };
}

async function asZope(host: Host, command: string): Promise<void> {
  await host.ok(command, { user: 'zope', timeoutMs: 300_000 });
}
