import { spawnSync } from 'node:child_process';
import { PROGRAM } from './cli.js';

/** What this machine permits a test to do; each is a reason to skip if it does not, otherwise undefined. */

const isRoot = process.getuid?.() === 0;

export const needsRoot = isRoot ? undefined : 'needs root';

/** An unprivileged user, as whom a command can be run through `setpriv`. */
export const NOBODY = 65_534;
export const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];

function works(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

export const needsOtherUser =
  isRoot && works('setpriv', [...asNobody.slice(1), process.execPath, PROGRAM, '--version'])
    ? undefined
    : 'needs root, setpriv, and a checkout that every user may read';

/** A mount namespace for the test: its mounts disappear when its process ends. */
export const needsMounts =
  isRoot && works('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt && umount /mnt'])
    ? undefined
    : 'needs root, unshare and the right to mount a tmpfs';

/** Runs shell commands in their own mount namespace, then the command line in it: for `through` of a run. */
export function withMounts(script: string): string[] {
  return ['unshare', '-m', 'sh', '-ec', `${script}\nexec "$@"`, 'sh'];
}
