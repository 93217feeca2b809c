import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import { CLUSTER_FOLDER, image, reasonToSkip } from '../support/image.js';

/**
 * A Python environment with a real Plone for the hosts, which have no way to PyPI: see build.sh. A folder of `.cluster`.
 *
 * Invariant: its name holds the hash of all that it was made from, the image included, and it has that name when it is complete.
 */
export const IN_HOSTS = '/opt/plone';

const REQUIREMENTS = ['Plone==6.2.2', 'plone.app.layout<7.0.0a0', 'ZEO', 'zdaemon', 'paste'];
const BUILD = inProject('test', 'cluster', 'plone', 'build.sh');
const LONGEST_BUILD_MS = 15 * 60_000;

/** The folder; or why Plone cannot be run here. Makes a missing one first: some minutes, once. */
export function environment(): { readonly folder: string } | { readonly reason: string } {
  const reason = reasonToSkip();
  const file = image();
  if (reason !== false || file === undefined) return { reason: reason || 'not run: no image' };
  const hash = createHash('sha256').update(REQUIREMENTS.join(' ')).update(readFileSync(BUILD)).update(file);
  const folder = join(CLUSTER_FOLDER, `plone-${hash.digest('hex').slice(0, 16)}`);
  const failed = existsSync(folder) ? undefined : build(file, folder);
  return failed === undefined ? { folder } : { reason: `not run: ${failed}` };
}

/** Two processes may be here at once: the second one waits at the lock and finds the folder. */
function build(image: string, folder: string): string | undefined {
  process.stderr.write('a Python environment with Plone is made for the test hosts, once\n');
  const args = [join(CLUSTER_FOLDER, 'lock'), 'unshare', '-m', '-p', '-f', '--kill-child', 'sh', BUILD];
  const done = spawnSync('flock', [...args, image, folder, IN_HOSTS, ...REQUIREMENTS], {
    encoding: 'utf8',
    timeout: LONGEST_BUILD_MS,
  });
  for (const name of readdirSync(CLUSTER_FOLDER))
    if (/^plone-/.test(name) && !folder.endsWith(name)) rmSync(join(CLUSTER_FOLDER, name), { recursive: true });
  if (done.status === 0) return undefined;
  writeFileSync(join(CLUSTER_FOLDER, 'plone.log'), `${done.stdout}\n${done.stderr}`);
  const last = done.stderr.trim().split('\n').at(-1) ?? done.error?.message;
  return `pip cannot install ${REQUIREMENTS[0]} for its hosts; is https://pypi.org within reach? (.cluster/plone.log): ${last}`;
}
