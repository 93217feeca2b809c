import { BlockList } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Configuration } from '../config/configuration.js';
import { factsAt } from './facts-at.js';
import type { Warning } from './warning.js';

const EXECUTABLE = 0o111;

/** What the cluster names and this host does not have. */
export function clusterWarnings({ path, cluster, storages }: Configuration): readonly Warning[] {
  const warnings: Warning[] = [];
  if (!cluster) return warnings;
  const warn = (of: string, message: string): void => void warnings.push({ storage: null, path: of, message });
  const names = cluster.hosts.map(({ name }) => name);
  if (!names.includes(hostname()))
    warn(path, `this host is ${hostname()}, and the cluster's are ${names.join(' and ')}: it needs those of uname -n`);
  for (const { name, address, heartbeat } of cluster.hosts)
    for (const each of new Set([address, heartbeat]))
      if (each.startsWith('127.')) warn(path, `the other host cannot reach ${name} at ${each}`);
  for (const each of new Set([cluster.interface, cluster.heartbeatInterface]))
    if (!factsAt(`/sys/class/net/${each}`)) warn(path, `this host has no network interface ${each}`);
  const networks = names.includes(hostname()) ? networksOf(cluster.interface) : [];
  if (networks.length > 0 && !networks.some((network) => isIn(network, cluster.address)))
    warn(
      path,
      `the cluster's address ${cluster.address} is in no network of ${cluster.interface} here (${networks.join(', ')}): other machines may not reach it`,
    );
  const { control } = cluster.zeo;
  const facts = factsAt(control);
  if (!facts) warn(control, `the program ${control}, which controls ZEO, does not exist`);
  else if (facts.kind !== 'file' || !(facts.mode & EXECUTABLE))
    warn(control, `the program ${control}, which controls ZEO, cannot be executed`);
  for (const { name, statusFile } of storages)
    if (/^(?:\/var)?\/run\//.test(statusFile))
      warnings.push({ storage: name, path: statusFile, message: `a reboot removes the status file ${statusFile}` });
  return warnings;
}

/** As 192.168.1.11/24: the addresses that an interface has, with the lengths of their networks. None where they are not known. */
function networksOf(name: string): readonly string[] {
  const addresses = new Map(Object.entries(interfaces())).get(name) ?? [];
  return addresses.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr !== null ? [cidr] : []));
}

function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch (error) {
    // A unit of systemd, as an example, may keep a program from asking the kernel for them.
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR') return {};
    throw error;
  }
}

function isIn(network: string, address: string): boolean {
  const [base = '', length] = network.split('/');
  const list = new BlockList();
  list.addSubnet(base, Number(length));
  return list.check(address.split('/')[0] ?? '');
}
