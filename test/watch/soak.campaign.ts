import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pair, withPair } from '../support/pair.js';
import { untilInStep, watching } from './watching.js';

const MINUTES = Number(process.env['SYNCPOZO_MINUTES'] ?? '10');
/** Descriptors and threads that may come and go. */
const SLACK = 6;
/** V8 keeps what it may need again; a leak of a round would be more within minutes. */
const MORE_MEMORY_MIB = 64;
const WARM_UP_MS = 60_000;
const SAMPLE_MS = 30_000;

interface Size {
  readonly descriptors: number;
  readonly threads: number;
  readonly memoryMiB: number;
}

function sizeOf(pid: number): Size {
  const memory = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const count = (name: string): number => readdirSync(`/proc/${pid}/${name}`).length;
  return { descriptors: count('fd'), threads: count('task'), memoryMiB: Number(memory?.[1]) / 1024 };
}

async function commitUntil(pair: Pair, end: number): Promise<void> {
  for (let n = 0; Date.now() < end; n++) {
    pair.commit(`commit ${n}`);
    await sleep(100);
  }
}

describe('a watch for long', () => {
  it('grows neither in memory nor in descriptors nor in threads', (t) =>
    withPair(async (pair) => {
      await watching(pair, async (watch) => {
        await untilInStep(pair);
        await commitUntil(pair, Date.now() + WARM_UP_MS);
        const before = sizeOf(watch.pid);
        for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
          await commitUntil(pair, Math.min(end, Date.now() + SAMPLE_MS));
          const now = sizeOf(watch.pid);
          t.diagnostic(JSON.stringify(now));
          assert.ok(now.descriptors <= before.descriptors + SLACK && now.threads <= before.threads + SLACK);
          assert.ok(now.memoryMiB <= before.memoryMiB + MORE_MEMORY_MIB);
        }
        await untilInStep(pair);
      });
    }));
});
