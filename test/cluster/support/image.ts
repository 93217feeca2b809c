import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';

/**
 * What a cluster's hosts have beyond this machine's own root, as one file in `.cluster`: see build-image.sh.
 *
 * Invariant: its name holds the hash of all that it was made from, this machine's own packages included, and it gets that
 * name when it is complete. So an unfinished or outdated one is never used.
 */
export const CLUSTER_FOLDER = inProject('.cluster');
/** The Python of ZEO and of the site, in every host. */
export const VENV_IN_HOSTS = '/opt/venv';

const SUPPORT = inProject('test', 'cluster', 'support');
const BUILD = join(SUPPORT, 'build-image.sh');
const PACKAGES = join(SUPPORT, 'packages.txt');
const REQUIREMENTS = [inProject('test', 'zodb', 'requirements.txt'), join(SUPPORT, 'requirements.txt')];
const INSTALLED = '/var/lib/dpkg/status';
/** Where the reason stands why it could not be made, for the files of tests that ask next. */
const REASON = join(CLUSTER_FOLDER, 'reason');
const REASON_HOLDS_MS = 10 * 60_000;
const LONGEST_BUILD_MS = 15 * 60_000;

/** The image; undefined: it cannot be made here, and `reasonToSkip` says why. */
export function image(): string | undefined {
  return reasonToSkip() === false ? fileOfImage() : undefined;
}

/** Why no cluster can be run here; false: it can. Makes a missing image first: half a minute to some minutes, once. */
export function reasonToSkip(): string | false {
  const missing = whatIsMissing();
  if (missing !== undefined) return `not run: ${missing}`;
  if (existsSync(fileOfImage())) return false;
  if (existsSync(REASON) && Date.now() - statSync(REASON).mtimeMs < REASON_HOLDS_MS)
    return `not run: ${readFileSync(REASON, 'utf8')}`;
  const reason = build();
  return reason === undefined ? false : `not run: ${reason}`;
}

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync(INSTALLED) || spawnSync('apt-get', ['--version']).status !== 0)
    return 'its hosts are made of Debian packages, and this is no Debian (there is no apt-get)';
  if (spawnSync('unshare', ['-m', '-p', '-C', '-i', '-u', '-n', '-f', 'true']).status !== 0)
    return 'it needs the right to make namespaces';
  if (!/ cgroup2 rw/.test(readFileSync('/proc/mounts', 'utf8'))) return 'it needs control groups of version 2';
  if (spawnSync('mkfs.ext4', ['-V']).status !== 0)
    return 'there is no mkfs.ext4 here (Debian: apt-get install e2fsprogs)';
  if (!existsSync('/dev/loop-control')) return 'it needs loop devices (there is no /dev/loop-control)';
  return undefined;
}

function fileOfImage(): string {
  const hash = createHash('sha256');
  for (const path of [BUILD, PACKAGES, ...REQUIREMENTS, INSTALLED]) hash.update(readFileSync(path));
  return join(CLUSTER_FOLDER, `image-${hash.digest('hex').slice(0, 16)}.ext4`);
}

/** Two processes may be here at once: the second one waits at the lock and finds the image. */
function build(): string | undefined {
  const file = fileOfImage();
  mkdirSync(CLUSTER_FOLDER, { recursive: true });
  process.stderr.write('the image of the test hosts is made, once: Debian packages and a Python environment\n');
  // What a build that was killed has left goes too.
  const removed = `rm -rf '${CLUSTER_FOLDER}'/image-*.building`;
  const apart = `${removed}; unshare -m -p -f --kill-child sh "$@"; status=$?; ${removed}; exit $status`;
  const args = [join(CLUSTER_FOLDER, 'lock'), 'sh', '-c', apart, 'sh', BUILD, file, PACKAGES, ...REQUIREMENTS];
  const started = Date.now();
  const done = spawnSync('flock', args, { encoding: 'utf8', timeout: LONGEST_BUILD_MS });
  if (done.status === 0) {
    for (const name of readdirSync(CLUSTER_FOLDER))
      if (/^image-.*\.ext4$/.test(name) && !file.endsWith(name)) rmSync(join(CLUSTER_FOLDER, name));
    rmSync(REASON, { force: true });
    process.stderr.write(`the image of the test hosts is made: ${Math.round((Date.now() - started) / 1000)} s\n`);
    return undefined;
  }
  writeFileSync(join(CLUSTER_FOLDER, 'build.log'), `${done.stdout}\n${done.stderr}`);
  const last = done.stderr.trim().split('\n').at(-1) ?? done.error?.message;
  const reason = `the image of its hosts cannot be made (.cluster/build.log): ${last}`;
  writeFileSync(REASON, reason);
  return reason;
}
