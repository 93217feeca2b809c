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
/** The lists of Debian packages of each image. */
const PACKAGES = {
  image: [join(SUPPORT, 'packages.txt')],
  guests: [join(SUPPORT, 'packages.txt'), join(SUPPORT, 'guest-packages.txt')],
} as const;
const REQUIREMENTS = [inProject('test', 'zodb', 'requirements.txt'), join(SUPPORT, 'requirements.txt')];
const INSTALLED = '/var/lib/dpkg/status';
const REASON_HOLDS_MS = 10 * 60_000;
const LONGEST_BUILD_MS = 15 * 60_000;

/** `image`: for hosts as namespaces; `guests`: for those with a kernel of their own, see guest.ts. */
export type Kind = keyof typeof PACKAGES;

/** The image; undefined: it cannot be made here, and `reasonToSkip` says why. */
export function image(kind: Kind = 'image'): string | undefined {
  return reasonToSkip(kind) === false ? fileOfImage(kind) : undefined;
}

/** Why no cluster can be run here; false: it can. Makes a missing image first: half a minute to some minutes, once. */
export function reasonToSkip(kind: Kind = 'image'): string | false {
  const missing = whatIsMissing(kind);
  if (missing !== undefined) return `not run: ${missing}`;
  if (existsSync(fileOfImage(kind))) return false;
  const noted = noteOf(kind);
  if (existsSync(noted) && Date.now() - statSync(noted).mtimeMs < REASON_HOLDS_MS)
    return `not run: ${readFileSync(noted, 'utf8')}`;
  const reason = build(kind);
  return reason === undefined ? false : `not run: ${reason}`;
}

/** Where the reason stands why it could not be made, for the files of tests that ask next. */
function noteOf(kind: Kind): string {
  return join(CLUSTER_FOLDER, kind === 'image' ? 'reason' : `reason-${kind}`);
}

function whatIsMissing(kind: Kind): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync(INSTALLED) || spawnSync('apt-get', ['--version']).status !== 0)
    return 'its hosts are made of Debian packages, and this is no Debian (there is no apt-get)';
  if (spawnSync('unshare', ['-m', '-p', '-C', '-i', '-u', '-n', '-f', 'true']).status !== 0)
    return 'it needs the right to make namespaces';
  if (!/ cgroup2 rw/.test(readFileSync('/proc/mounts', 'utf8'))) return 'it needs control groups of version 2';
  if (spawnSync('mkfs.ext4', ['-V']).status !== 0)
    return 'there is no mkfs.ext4 here (Debian: apt-get install e2fsprogs)';
  if (!existsSync('/dev/loop-control')) return 'it needs loop devices (there is no /dev/loop-control)';
  if (kind === 'guests' && process.arch !== 'x64') return "Debian's user-mode-linux is for x86-64 alone";
  if (kind === 'guests' && !existsSync('/dev/net/tun')) return 'its guests need /dev/net/tun';
  return undefined;
}

function fileOfImage(kind: Kind): string {
  const hash = createHash('sha256');
  for (const path of [BUILD, ...PACKAGES[kind], ...REQUIREMENTS, INSTALLED]) hash.update(readFileSync(path));
  return join(CLUSTER_FOLDER, `${kind}-${hash.digest('hex').slice(0, 16)}.ext4`);
}

/** Two processes may be here at once: the second one waits at the lock and finds the image. */
function build(kind: Kind): string | undefined {
  const file = fileOfImage(kind);
  mkdirSync(CLUSTER_FOLDER, { recursive: true });
  const packages = join(CLUSTER_FOLDER, `${kind}.packages`);
  writeFileSync(packages, PACKAGES[kind].map((path) => readFileSync(path, 'utf8')).join(''));
  process.stderr.write('the image of the test hosts is made, once: Debian packages and a Python environment\n');
  // What a build that was killed has left goes too.
  const removed = `rm -rf '${CLUSTER_FOLDER}'/${kind}-*.building`;
  const apart = `${removed}; unshare -m -p -f --kill-child sh "$@"; status=$?; ${removed}; exit $status`;
  const args = [join(CLUSTER_FOLDER, 'lock'), 'sh', '-c', apart, 'sh', BUILD, file, packages, ...REQUIREMENTS];
  const started = Date.now();
  const done = spawnSync('flock', args, { encoding: 'utf8', timeout: LONGEST_BUILD_MS });
  if (done.status === 0) {
    for (const name of readdirSync(CLUSTER_FOLDER))
      if (name.startsWith(`${kind}-`) && name.endsWith('.ext4') && !file.endsWith(name))
        rmSync(join(CLUSTER_FOLDER, name));
    rmSync(noteOf(kind), { force: true });
    process.stderr.write(`the image of the test hosts is made: ${Math.round((Date.now() - started) / 1000)} s\n`);
    return undefined;
  }
  writeFileSync(join(CLUSTER_FOLDER, 'build.log'), `${done.stdout}\n${done.stderr}`);
  const last = done.stderr.trim().split('\n').at(-1) ?? done.error?.message;
  const reason = `the image of its hosts cannot be made (.cluster/build.log): ${last}`;
  writeFileSync(noteOf(kind), reason);
  return reason;
}
