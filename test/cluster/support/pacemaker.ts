import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../../support/root.js';
import { Fencing } from './fencing.js';
import type { Host } from './host.js';

function sample(name: string): string {
  return readFileSync(inProject('scripts', 'pacemaker', name), 'utf8');
}

/** What namespaces do not permit. */
const IN_NAMESPACES = {
  totem: '    knet_mtu: 0\n',
  system: 'system {\n    sched_rr: no\n    allow_knet_handle_fallback: yes\n}\n',
};

/** The sample devices, for the boards of the test. */
function fencingOf(text: string): string {
  return text
    .replaceAll('stonith:fence_ipmilan', 'stonith:fence_board')
    .replaceAll(/ ip=\S+ username=\S+ password="[^"]*" lanplus=1/g, ' pcmk_reboot_action=off');
}

/** Installs Pacemaker as the samples have it, and starts it on both hosts; returns when one host has all resources. */
export async function startPacemaker(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (!first) return;
  const key = (await first.ok('head -c 128 /dev/urandom | base64 -w0')).trim();
  for (const host of hosts) {
    await host.put('/etc/corosync/corosync.conf', `${sample('corosync.conf')}\n${IN_NAMESPACES.system}`);
    await host.ok(`echo '${key}' | base64 -d >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey`);
    await host.put('/usr/lib/ocf/resource.d/syncpozo/zeo', sample('zeo'), { mode: '755' });
    await Fencing.install(host);
    await host.ok('systemctl enable corosync pacemaker');
  }
  await Promise.all(hosts.map((host) => host.ok('systemctl start corosync pacemaker')));
  await online(hosts);
  for (const name of ['fencing.crm', 'cluster.crm', 'ping.crm']) {
    const text = sample(name);
    await first.put(`/root/${name}`, name === 'fencing.crm' ? fencingOf(text) : text);
    await first.ok(`crm configure load update /root/${name}`);
  }
}

/** Waits until the hosts are members of one cluster. */
export async function online(hosts: readonly Host[], seconds = 60): Promise<void> {
  const [first] = hosts;
  for (const until = Date.now() + seconds * 1000; first && Date.now() < until; await sleep(300)) {
    const { output } = await first.inside('crm_mon -1 -X 2>/dev/null || crm_mon -1 --output-as=xml');
    if (hosts.every(({ name }) => new RegExp(`<node name="${name}"[^>]* online="true"`).test(output))) return;
  }
  throw new Error(`not members of one cluster: ${(await first?.inside('crm_mon -1'))?.output}`);
}

/** The promotion score of a host; undefined: none. */
export async function scoreOf(asked: Host, host: string): Promise<number | undefined> {
  const { status, output } = await asked.inside(`crm_attribute --promotion=zeo -N ${host} -l reboot -G -q`);
  return status === 0 && /^-?\d+$/m.test(output) ? Number(output.trim()) : undefined;
}
