import type { ClusterHost, ClusterSettings } from '../config/cluster.js';
import type { Configuration, StorageSettings } from '../config/configuration.js';
import { formatListen } from '../config/listen.js';
import { SHELL_SUFFIXES, shellVariable } from '../config/shell-variable.js';
import { ConfigurationMistake } from '../report/configuration-mistake.js';
import { fileOf, masterSideByName, nameInDirectory, sideOf } from '../standby/paths.js';
import { factsAt } from './facts-at.js';

/** Assignments for `eval` of a POSIX shell, one a line, as a host of the cluster sees them. Throws ConfigurationMistake. */
export function shellAssignments(configuration: Configuration, host: string): string {
  const { path, cluster } = configuration;
  if (!cluster)
    throw new ConfigurationMistake(
      [`${path}: found no key cluster, expected it`],
      `write the section cluster into ${path}; the sample scripts/syncpozo.yml shows it`,
    );
  const own = cluster.hosts.find(({ name }) => name === host);
  const peer = cluster.hosts.find(({ name }) => name !== host);
  if (!own || !peer)
    throw new ConfigurationMistake(
      [
        `${path}: cluster.hosts: found ${cluster.hosts.map(({ name }) => name).join(' and ')}, expected ${host}, this host's name`,
      ],
      `write the names that \`uname -n\` prints on both hosts into ${path}, or name a host with --host`,
    );
  const values = { ...clusterVariables(cluster, own, peer), ...storageVariables(configuration) };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(String(value))}\n`)
    .join('');
}

type Variables = Readonly<Record<string, string | number>>;

function clusterVariables(cluster: ClusterSettings, own: ClusterHost, peer: ClusterHost): Variables {
  const { zeo, clients, web } = cluster;
  return {
    syncpozo_host: own.name,
    syncpozo_peer: peer.name,
    host_address: own.address,
    peer_address: peer.address,
    host_heartbeat: own.heartbeat,
    peer_heartbeat: peer.heartbeat,
    cluster_hosts: cluster.hosts.map(({ name }) => name).join(' '),
    cluster_address: cluster.address,
    cluster_interface: cluster.interface,
    heartbeat_interface: cluster.heartbeatInterface,
    cluster_manager: cluster.manager,
    deadtime: Math.ceil(cluster.deadtimeSeconds),
    ping_address: cluster.ping ?? '',
    max_age: Math.ceil(cluster.maxAgeSeconds),
    zeo_control: zeo.control,
    zeo_port: zeo.port,
    zeo_user: zeo.user,
    zeo_start_wait: Math.ceil(zeo.startWaitSeconds),
    zeo_stop_wait: Math.ceil(zeo.stopWaitSeconds),
    promote_wait: Math.ceil(zeo.promoteWaitSeconds),
    clients_restart: wordsOf(clients.restart),
    clients_caches: wordsOf(clients.caches),
    clients_after_loss: clients.afterLoss ? 'yes' : 'no',
    web_check: web?.check ?? '',
    web_service: web?.service ?? '',
  };
}

function storageVariables({ path, storages, statusFile, watch }: Configuration): Variables {
  const files = storages.map((storage) => ({ storage, ...filesOf(storage) }));
  const variables: Record<string, string> = {
    config_file: path,
    status_file: statusFile,
    watch_listen: watch.listen ? formatListen(watch.listen) : '',
    watch_textfile: watch.textfile ?? '',
    storages: storages.map(({ name }) => name).join(' '),
    data_files: files.map(({ data }) => data).join('\n'),
  };
  for (const { storage, data, peer } of files) {
    const { name, blobs, statusFile: status_file } = storage;
    const values = { data, peer, blobs: blobs?.slave, peer_blobs: blobs?.master, status_file };
    for (const suffix of SHELL_SUFFIXES) variables[shellVariable(name, suffix)] = values[suffix] ?? '';
  }
  return variables;
}

/** The peer's by its name alone: its mount may hang. */
function filesOf({ master, slave, file }: StorageSettings): { readonly data: string; readonly peer: string } {
  const [own, peer] = [sideOf(slave, file, factsAt(slave)), masterSideByName(master, slave, file)];
  const name = nameInDirectory(file, own, peer);
  return { data: fileOf(own, name), peer: fileOf(peer, name) };
}

/** One word for a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For a second `eval`: set -- $clients_restart. */
function wordsOf(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}
