import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import type { Host } from './host.js';
import { CLUSTER_FOLDER } from './image.js';

const CACHE_IN_HOST = '/opt/npm-cache';

/**
 * Gives hosts the package that `npm pack` makes of this checkout, in the home of root, and lets npm install it as written without a
 * network: from a cache with what the package depends on, which is filled once into `.cluster`. What the hosts have of syncpozo
 * otherwise goes.
 *
 * @param prefix where npm puts global packages: /usr/local with the Node of nodejs.org, /usr with that of a Debian package
 */
export async function providePackage(hosts: readonly Host[], prefix: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-pack-'));
  try {
    // Without scripts: a build beside the tests would pull dist from under their feet.
    npm('pack', '--ignore-scripts', '--pack-destination', directory);
    const [name = ''] = readdirSync(directory);
    const cache = cacheFor(join(directory, name));
    const registry = npm('config', 'get', 'registry').trim();
    for (const host of hosts) {
      const root = join('/proc', String(host.pid), 'root');
      await host.ok('rm -rf /opt/syncpozo /usr/local/bin/syncpozo /root/syncpozo-*.tgz');
      cpSync(join(directory, name), join(root, 'root', name));
      cpSync(cache, join(root, CACHE_IN_HOST), { recursive: true });
      const settings = [`registry=${registry}`, `cache=${CACHE_IN_HOST}`, 'offline=true', `prefix=${prefix}`];
      await host.put('/root/.npmrc', `${settings.join('\n')}\nfund=false\naudit=false\nupdate-notifier=false\n`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function cacheFor(file: string): string {
  const { dependencies } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { dependencies: object };
  const hash = createHash('sha256').update(JSON.stringify(dependencies)).digest('hex').slice(0, 8);
  const folder = join(CLUSTER_FOLDER, `npm-${hash}`);
  if (existsSync(folder)) return folder;
  const loading = `${folder}.loading`;
  const unused = `${folder}.unused`;
  for (const each of [loading, unused]) rmSync(each, { recursive: true, force: true });
  mkdirSync(loading, { recursive: true });
  npm('install', '--global', '--prefix', unused, '--cache', loading, '--no-audit', '--no-fund', file);
  rmSync(unused, { recursive: true, force: true });
  renameSync(loading, folder);
  return folder;
}

function npm(...args: readonly string[]): string {
  const done = spawnSync('npm', args, { encoding: 'utf8', cwd: inProject() });
  if (done.status !== 0) throw new Error(`npm ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}
