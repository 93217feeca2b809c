import { spawnSync } from 'node:child_process';
import { IoFault } from './fault.js';

/** Exit status of flock(1) when another process holds the lock. */
const HELD = 1;

/**
 * Takes flock(LOCK_EX | LOCK_NB) on an open descriptor, the same lock that zc.lockfile takes. Runs flock(1) of
 * util-linux, because Node has no such call. The lock belongs to the open file: it outlives flock(1), and lasts until
 * this process closes the descriptor or dies. Returns false when another process holds it.
 */
export function tryFlock(fd: number, path: string): boolean {
  const descriptorInChild = 3;
  const result = spawnSync('flock', ['-x', '-n', String(descriptorInChild)], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
    // Loading a locale would take a third of the run time of flock(1).
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
