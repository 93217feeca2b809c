import { createInterface } from 'node:readline';
import { runSync, type SyncOptions } from '../../src/commands/sync.js';

/**
 * Runs syncs in a process of its own, whose heap its parent has limited: a list of options a line on stdin, the list of
 * results a line on stdout. What throws, or what eats memory, ends this process, and the test with it.
 */
export interface LimitedAnswer {
  readonly results: readonly { readonly exitCode: number; readonly action: string; readonly reason: string }[];
  /** Of this process since it began, in MiB, buffers outside of the heap included. */
  readonly peakMemory: number;
}

for await (const line of createInterface({ input: process.stdin })) {
  const results = await Promise.all((JSON.parse(line) as SyncOptions[]).map((options) => runSync(options)));
  const peakMemory = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ results, peakMemory } satisfies LimitedAnswer)}\n`);
}
