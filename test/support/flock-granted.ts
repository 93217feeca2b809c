import child from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Grants every flock(1) of this thread at once. For tests that sync thousands of times in one process with slaves that nobody
 * else has: there the process of flock(1) costs as much as the rest of the sync. The lock has tests of its own, and what
 * these tests sync by the command line takes it.
 */
export function grantEveryFlock(): void {
  const start = child.spawnSync as (...args: unknown[]) => unknown;
  const granted = { pid: 0, status: 0, signal: null, stdout: '', stderr: '', output: [] };
  Object.assign(child, { spawnSync: (...args: unknown[]) => (args[0] === 'flock' ? granted : start(...args)) });
  syncBuiltinESMExports();
}
