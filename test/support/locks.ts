import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Pair } from './pair.js';

/**
 * Calls `use` while another process holds the slave's lock. The lock file's text is that of a syncpozo with that process's
 * id, or else the given text, in which PID stands for the id.
 */
export async function heldByOther(
  pair: Pick<Pair, 'slave'>,
  holder: string,
  use: (pid: number) => void | Promise<void>,
): Promise<void> {
  const lock = join(pair.slave, 'Data.fs.lock');
  const keeper = spawn('flock', ['-x', '-n', '--no-fork', lock, 'sh', '-c', 'echo held; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([once(keeper.stdout, 'data'), once(keeper, 'exit')]);
  const pid = keeper.pid ?? 0;
  try {
    writeFileSync(
      lock,
      holder === 'syncpozo' ? ` ${pid} syncpozo ${hostname()}\n` : holder.replace('PID', String(pid)),
    );
    await use(pid);
  } finally {
    await ended(keeper);
  }
}

async function ended(keeper: ChildProcess): Promise<void> {
  keeper.kill('SIGKILL');
  if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, 'exit');
}
