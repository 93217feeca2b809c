import { spawnSync } from 'node:child_process';
import { IoFault } from './fault.js';

/** Exit status by which flock(1) says that somebody else holds the lock. */
const HELD = 1;

/**
 * Takes flock(LOCK_EX | LOCK_NB) on an open descriptor, the lock that zc.lockfile takes, through flock(1) of util-linux
 * (Node has no call for it): the lock belongs to the open file, so it stays with this process after flock(1) has ended,
 * until the descriptor is closed or the process dies. Returns false when somebody else holds it.
 */
export function tryFlock(fd: number, path: string): boolean {
  const descriptorInChild = 3;
  const result = spawnSync('flock', ['-x', '-n', String(descriptorInChild)], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
    // In no other language: a third of the time that flock takes goes into a locale.
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (result.error) {
    const detail = 'the program flock of util-linux could not be run; install util-linux';
    throw new IoFault('lock', path, 'code' in result.error ? String(result.error.code) : 'EUNKNOWN', detail);
  }
  if (result.status === 0) return true;
  if (result.status === HELD && result.stderr === '') return false;
  throw new IoFault('lock', path, 'ELOCK', `flock(1) failed with status ${result.status}: ${result.stderr.trim()}`);
}
