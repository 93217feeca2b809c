import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './host.js';
import type { Pair } from './pair.js';

/** Namespaces permit neither a real-time scheduler nor large socket buffers. */
const IN_NAMESPACES = 'system {\n    sched_rr: no\n    allow_knet_handle_fallback: yes\n}\n';

/** What the installer leaves to a person: the key, the fencing devices, the resources. Returns when both hosts are members. */
export async function startPacemaker(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (!first) return;
  const key = (await first.ok('corosync-keygen -l >/dev/null && base64 -w0 /etc/corosync/authkey')).trim();
  for (const host of hosts) {
    await host.put(
      '/etc/corosync/corosync.conf',
      `${await host.read('/etc/corosync/corosync.conf')}\n${IN_NAMESPACES}`,
    );
    await host.ok(`echo '${key}' | base64 -d >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey`);
  }
  await Promise.all(hosts.map((host) => host.ok('systemctl enable --now corosync pacemaker')));
  await online(first, hosts);
  await writeDevices(first);
  for (const name of ['fencing.crm', 'cluster.crm', 'ping.crm'])
    await first.ok(`crm configure load update /etc/syncpozo/${name}`);
}

/** The boards of the tests' hosts (fencing.ts) in the place of the sample's. */
export async function writeDevices(host: Host): Promise<void> {
  const fencing = (await host.read('/etc/syncpozo/fencing.crm'))
    .replaceAll('stonith:fence_ipmilan', 'stonith:fence_board')
    .replaceAll(/ ip=\S+ username=\S+ password="[^"]*" lanplus=1/g, ' pcmk_reboot_action=off');
  await host.put('/etc/syncpozo/fencing.crm', fencing, { mode: '600' });
}

async function online(asked: Host, hosts: readonly Host[]): Promise<void> {
  for (const until = Date.now() + 90_000; Date.now() < until; await sleep(300)) {
    const { output } = await asked.inside('crm_mon -1 --output-as=xml');
    if (hosts.every(({ name }) => new RegExp(`<node name="${name}"[^>]* online="true"`).test(output))) return;
  }
  throw new Error(`not members of one cluster: ${(await asked.inside('crm_mon -1')).output}`);
}

/** The promotion score of a host; undefined: none. */
export async function scoreOf(asked: Host, host: Host): Promise<number | undefined> {
  const { status, output } = await asked.inside(`crm_attribute --promotion=zeo -N ${host.name} -l reboot -G -q`);
  return status === 0 && /^-?\d+$/m.test(output) ? Number(output.trim()) : undefined;
}

/** Pacemaker may promote it. */
export function promotable(pair: Pair, asked: Host, host: Host): Promise<void> {
  const holds = async (): Promise<boolean> => ((await scoreOf(asked, host)) ?? 0) > 0;
  return pair.eventually(`${host.name} is promotable`, holds, 90);
}
