import child from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Makes this process alone on the machine, for the program under test: it gets every flock(1) at once, and sees no other
 * process in /proc. For tests that sync thousands of times in one process with slaves that nobody else has: the process of
 * flock(1), and reading what all processes of the machine have open, cost several times as much as the rest of a sync. Both
 * have tests of their own, and what these tests sync by the command line does both.
 */
export function beAlone(): void {
  const start = child.spawnSync as (...args: unknown[]) => unknown;
  const granted = { pid: 0, status: 0, signal: null, stdout: '', stderr: '', output: [] };
  const list = fs.readdirSync as (...args: unknown[]) => unknown;
  Object.assign(child, { spawnSync: (...args: unknown[]) => (args[0] === 'flock' ? granted : start(...args)) });
  Object.assign(fs, { readdirSync: (...args: unknown[]) => (args[0] === '/proc' ? [] : list(...args)) });
  syncBuiltinESMExports();
}
