import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type Run, Running, type RunOptions } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import type { Pair } from '../support/pair.js';

/** Arguments of a watch of this pair. Its lines are JSON, one for each round. */
export function watchArgs(pair: Pair, master = pair.master): string[] {
  return ['watch', master, pair.slave, '--status-file', pair.statusFile, '--interval', '200ms', '--json'];
}

/** A watch that runs during `use`. SIGTERM must end it with 0 afterwards. Returns its log. */
export async function watching(
  pair: Pair,
  use: (watch: Running) => Promise<void>,
  { args = watchArgs(pair), ...options }: RunOptions & { readonly args?: readonly string[] } = {},
): Promise<Run> {
  const watch = Running.start(args, options);
  try {
    await use(watch);
    assert.equal(watch.ended, false, 'it goes on until it is told to end');
  } finally {
    watch.signal('SIGTERM');
  }
  const run = await watch.end();
  assert.equal(run.exit, 0, run.all);
  assert.doesNotMatch(run.stderr, /"stack"/, run.all);
  return run;
}

export async function untilInStep(pair: Pair): Promise<void> {
  await eventually('the slave equals the master', () => isInStep(pair));
}

export function isInStep(pair: Pair): boolean {
  try {
    return readFileSync(pair.slaveFile).equals(readFileSync(pair.masterFile));
  } catch {
    return false;
  }
}

/** The watch's own process: how many descriptors and threads it has. */
export function sizeOf(watch: Running): { readonly descriptors: number; readonly threads: number } {
  const count = (name: string): number => readdirSync(`/proc/${watch.pid}/${name}`).length;
  return { descriptors: count('fd'), threads: count('task') };
}
