import { dirname } from 'node:path';
import { isCachePattern, reachesInto, wouldRemove } from './cache-pattern.js';
import { CLUSTER_DEFAULTS } from './cluster.js';
import { filesOf } from './compare-storages.js';
import { childOf, type Placed, pathAt, textAt } from './found-at.js';
import type { Mistakes } from './mistakes.js';
import { SHELL_SUFFIXES, shellVariable } from './shell-variable.js';
import type { Entry, Found } from './yaml-tree.js';

/** Finds values of the cluster that are right by themselves and wrong beside each other. It reads the tree, as `compareStorages`. */
export function compareCluster(tree: Found, mistakes: Mistakes): void {
  const cluster = childOf(tree, 'cluster');
  if (cluster?.kind !== 'mapping') return;
  const hosts = entriesOf(childOf(cluster, 'hosts'));
  compareHosts(cluster, hosts, mistakes);
  compareAddresses(cluster, hosts, mistakes);
  comparePorts(tree, cluster, mistakes);
  compareNames(entriesOf(childOf(tree, 'storages')), mistakes);
  compareCaches(tree, cluster, mistakes);
}

function entriesOf(found: Found | undefined): readonly Entry[] {
  return found?.kind === 'mapping' ? found.entries : [];
}

function compareHosts(cluster: Found, hosts: readonly Entry[], mistakes: Mistakes): void {
  const found = childOf(cluster, 'hosts');
  const [one, other] = hosts;
  if (found?.kind === 'mapping' && hosts.length > 0 && hosts.length !== 2)
    mistakes.add(found.line, 'cluster.hosts', count(hosts.length), 'two: each is the standby of the other');
  if (!one || !other || hosts.length !== 2) return;
  const shortOf = (name: string): string => name.toLowerCase().replace(/\..*/s, '');
  if (shortOf(one.key) === shortOf(other.key))
    mistakes.add(
      other.line,
      'cluster.hosts',
      `${other.key} beside ${one.key}`,
      'names that differ before the first "."',
    );
  const second = hosts.filter(({ value }) => childOf(value, 'heartbeat'));
  if (second.length === 1) {
    const without = second[0] === one ? other : one;
    mistakes.add(without.line, `cluster.hosts.${without.key}`, 'no key heartbeat', 'it, as the other host has one');
  }
  const link = textAt(cluster, 'heartbeat-interface');
  if (link && second.length === 0 && link.text !== textAt(cluster, 'interface')?.text) {
    const expected = 'the key heartbeat of both hosts: their addresses on it';
    mistakes.add(link.line, 'cluster.heartbeat-interface', 'an interface without addresses', expected);
  }
}

function count(hosts: number): string {
  return hosts === 1 ? '1 host' : `${hosts} hosts`;
}

/** Every address is that of one machine; only a host's two addresses may be the same. */
function compareAddresses(cluster: Found, hosts: readonly Entry[], mistakes: Mistakes): void {
  const taken = new Map<string, { readonly owner: string; readonly where: string; readonly line: number }>();
  const add = (owner: string, where: string, placed: Placed | undefined): void => {
    if (!placed) return;
    const address = placed.text.replace(/\/.*/s, '');
    const before = taken.get(address);
    if (!before) taken.set(address, { owner, where, line: placed.line });
    else if (before.owner !== owner) {
      const found = `${address}, which is ${before.where} in line ${before.line} as well`;
      mistakes.add(placed.line, where, found, 'an address of its own');
    }
  };
  for (const { key, value } of hosts)
    for (const name of ['address', 'heartbeat']) add(key, `cluster.hosts.${key}.${name}`, textAt(value, name));
  for (const name of ['address', 'ping']) add(`cluster.${name}`, `cluster.${name}`, textAt(cluster, name));
}

/** The watch runs on both hosts always: a ZEO with its port would never start. */
function comparePorts(tree: Found, cluster: Found, mistakes: Mistakes): void {
  const listen = textAt(childOf(tree, 'watch'), 'listen');
  const found = childOf(childOf(cluster, 'zeo'), 'port');
  const port = found?.kind === 'scalar' ? found.value : CLUSTER_DEFAULTS.port;
  if (listen?.text.replace(/^.*:/s, '') === String(port))
    mistakes.add(listen.line, 'watch.listen', `port ${port}, which is cluster.zeo.port as well`, 'a port of its own');
}

/** `a-b` and `a_b` have the same variables in the scripts of the cluster. */
function compareNames(storages: readonly Entry[], mistakes: Mistakes): void {
  const taken = new Map<string, string>();
  for (const { key, line } of storages) {
    const variables = SHELL_SUFFIXES.map((suffix) => shellVariable(key, suffix));
    const same = variables.find((variable) => taken.has(variable));
    for (const variable of variables) taken.set(variable, key);
    if (same === undefined) continue;
    const expected = `names that do not both make ${same} in the scripts of the cluster`;
    mistakes.add(line, `storages.${key}`, 'a name too much like another one', expected);
  }
}

/** What lies beside a Data.fs, by the ends of their names; `.x` stands for any. */
const BESIDE = ['', '.x', '.dat', '.role', '.lock', '.index', '.tmp', '.events', '.outcome', '.blobs', '.new', '.old'];

/** What matches a pattern is removed: never the data, the switch or the configuration. */
function compareCaches(tree: Found, cluster: Found, mistakes: Mistakes): void {
  const caches = childOf(childOf(cluster, 'clients'), 'caches');
  if (caches?.kind !== 'list') return;
  const storages = entriesOf(childOf(tree, 'storages')).map(({ value }) => value);
  const files = storages.flatMap((storage) => Object.values(filesOf(storage)).flatMap((file) => file?.path ?? []));
  const blobs = storages.flatMap((storage) =>
    ['slave', 'master'].flatMap((side) => pathAt(childOf(storage, 'blobs'), side)?.path ?? []),
  );
  const switches = [tree, ...storages].flatMap((each) => pathAt(each, 'status-file')?.path ?? []);
  const control = pathAt(childOf(cluster, 'zeo'), 'control')?.path ?? [];
  const kept = [
    ...files.flatMap((file) => [...BESIDE.map((end) => `${file}${end}`), dirname(file)]),
    ...blobs,
    ...switches,
    ...[control].flat(),
    mistakes.path,
  ];
  for (const item of caches.items) {
    const pattern = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : '';
    if (!isCachePattern(pattern)) continue;
    const removed =
      kept.find((path) => wouldRemove(pattern, path)) ?? blobs.find((directory) => reachesInto(pattern, directory));
    if (removed === undefined) continue;
    const found = `${pattern}, and what matches is removed: ${removed} would be`;
    mistakes.add(item.line, 'cluster.clients.caches', found, 'a pattern that only cache files match');
  }
}
