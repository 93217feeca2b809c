import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncpozo } from './cli.js';
import { clusterText } from './cluster.js';
import type { Scenes } from './json-scenes.js';
import type { Pair } from './pair.js';

function check({ directory }: Pair, ...lines: string[]) {
  const path = join(directory, 'syncpozo.yml');
  writeFileSync(path, `${lines.join('\n')}\n`);
  chmodSync(path, 0o646);
  return syncpozo(['config', 'check', '--json', '--config', path]);
}

export const CONFIG: Scenes = {
  'as little as possible': (pair, see) => {
    see(check(pair, `storages: { main: { master: ${pair.master}, slave: ${pair.slave} } }`));
  },
  'every key': (pair, see) => {
    const storage = (slave: string, ...more: string[]): string =>
      `{ master: /nowhere, slave: ${slave}, ${more.join(', ')} }`;
    const blobs = (name: string, by: string, as: string): string =>
      `blobs: { master: /nowhere, slave: /nowhere/${name}, by: ${by}, as: ${as}, keep: true }`;
    const run = check(
      pair,
      'storages:',
      `  a: ${storage('/nowhere/a.fs', 'file: x.fs', 'group: g', 'scrub: full', 'chunk-size: 1MiB', blobs('a', 'records', 'copy'))}`,
      `  b: ${storage('/nowhere/b', 'status-file: /nowhere/status', blobs('b', 'tree', 'reflink'))}`,
      `  c: ${storage(pair.slave, 'timeout: 1.5s', blobs('c', 'tree', 'link').replace('true', 'false'))}`,
      'watch: { interval: 100ms, listen: localhost:1, textfile: /nowhere/x.prom, heartbeat: "http://localhost/" }',
      `hooks: { loss: [/nowhere/program], damage: [${pair.masterFile}, argument] }`,
    );
    see(run);
  },
  'a cluster': (pair, see) => {
    const storages = `storages: { main: { master: ${pair.master}, slave: ${pair.slave} } }`;
    for (const manager of ['heartbeat', 'keepalived', 'pacemaker'])
      see(check(pair, storages, clusterText({ manager })));
    const clients = '{ restart: [/nowhere/program], caches: [/nowhere/of/cache.zec] }';
    see(check(pair, storages, clusterText({ ping: '192.168.1.1', clients, web: '{ check: "http://localhost/" }' })));
  },
};
