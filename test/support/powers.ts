import { spawnSync } from 'node:child_process';
import { PROGRAM } from './cli.js';

/** What this machine lets a test do; each is a reason to skip where it does not, undefined where it does. */

const isRoot = process.getuid?.() === 0;

export const needsRoot = isRoot ? undefined : 'needs root';

/** A user without any rights of root's, as whom a command can be run through `setpriv`. */
export const NOBODY = 65_534;
export const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];

function works(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

export const needsOtherUser =
  isRoot && works('setpriv', [...asNobody.slice(1), process.execPath, PROGRAM, '--version'])
    ? undefined
    : 'needs root, setpriv, and a checkout that every user may read';

/** A mount namespace of the test's own: what is mounted in it is gone when its process ends. */
export const needsMounts =
  isRoot && works('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt && umount /mnt'])
    ? undefined
    : 'needs root, unshare and the right to mount a tmpfs';

/** Runs shell commands in a mount namespace of their own, then the command line in it: for `through` of a run. */
export function withMounts(script: string): string[] {
  return ['unshare', '-m', 'sh', '-ec', `${script}\nexec "$@"`, 'sh'];
}
