import { createInterface } from 'node:readline';
import { runSync, type SyncOptions } from '../../src/round/run-sync.js';

/**
 * Runs syncs in its own process, whose heap the parent has limited: a list of options per line on stdin, the list of
 * results per line on stdout. An error, or too much memory, ends this process, and fails the test.
 */
export interface LimitedAnswer {
  readonly results: readonly { readonly exitCode: number; readonly action: string; readonly reason: string }[];
  /** The peak of this process in MiB, including buffers outside the heap. */
  readonly peakMemory: number;
}

for await (const line of createInterface({ input: process.stdin })) {
  const results = await Promise.all((JSON.parse(line) as SyncOptions[]).map((options) => runSync(options)));
  const peakMemory = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ results, peakMemory } satisfies LimitedAnswer)}\n`);
}
