import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';
import { needsStrace, ONE_THREAD } from './strace.js';

/** Three thousand blobs are made durable faster in memory. */
function inMemory<T>(use: (directory: string | undefined) => Promise<T>): Promise<T> {
  if (!existsSync('/dev/shm')) return use(undefined);
  const directory = mkdtempSync('/dev/shm/syncpozo-test-');
  return use(directory).finally(() => rmSync(directory, { recursive: true }));
}

/** Calls on files and descriptors of a run with nothing new among this many blobs, by name. */
async function callsAmong(blobs: number, slaveBlobs?: string): Promise<Map<string, number>> {
  const calls = new Map<string, number>();
  await withBlobPair(
    (pair) => {
      pair.commitBlobs(...Array.from({ length: blobs }, (_, n) => `blob ${n}`));
      pair.syncedBlobs();
      const log = join(pair.directory, 'calls');
      const through = ['strace', '-f', '-c', '-o', log, '-e', 'trace=%file,%desc'];
      const run = pair.syncBlobsWith({ through, env: ONE_THREAD }, '--scrub', '0');
      assertEnd(run, { exit: 0, action: 'none' });
      for (const line of readFileSync(log, 'utf8').split('\n')) {
        const [, count, name] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line) ?? [];
        if (name !== undefined && name !== 'total') calls.set(name, Number(count));
      }
    },
    { layout: 'lawn', ...(slaveBlobs !== undefined && { slaveBlobs }) },
  );
  return calls;
}

/** Calls of the event loop and the memory, whose number is a matter of time. */
const OF_NODE: ReadonlySet<string> = new Set([
  'epoll_wait',
  'epoll_pwait',
  'epoll_ctl',
  'ioctl',
  'poll',
  'mmap',
  'write',
  'read',
]);

it('a run with nothing new makes as many calls among 3,000 blobs as among 100', {
  skip: needsStrace ?? false,
}, async () => {
  const [few, many] = [await inMemory((at) => callsAmong(100, at)), await inMemory((at) => callsAmong(3000, at))];
  assert.ok((few.get('openat') ?? 0) > 5, 'calls were counted');
  for (const [name, count] of many)
    if (!OF_NODE.has(name))
      assert.ok(Math.abs(count - (few.get(name) ?? 0)) <= 5, `${name}: ${few.get(name)}, ${count}`);
  for (const name of ['read', 'write']) {
    const [before = 0, after = 0] = [few.get(name), many.get(name)];
    assert.ok(Math.abs(after - before) < 50, `${name}: ${before}, ${after}`);
  }
});
