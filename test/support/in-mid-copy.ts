import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Running } from './cli.js';
import type { Pair } from './pair.js';

const MIB = 1 << 20;
const TRIES = 20;

/** Some pages of 1 MiB each: enough to interrupt a copy of them. */
export function fill(pair: Pair, mebibytes: number): void {
  for (let page = 1; page <= mebibytes; page++)
    pair.site.commit(pair.site.pages(new Map([[page, String.fromCharCode(96 + (page % 26)).repeat(MIB)]])));
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/**
 * Starts a sync and stops it with SIGSTOP when `file` has grown, but is not complete; `again` undoes runs that finished
 * first, and they start again.
 */
export async function stoppedInMidCopy(
  pair: Pair,
  file: string,
  again: () => void,
  ...more: string[]
): Promise<Running> {
  const before = sizeOf(file) ?? 0;
  const dat = () => statSync(pair.dat, { throwIfNoEntry: false })?.ino;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const datBefore = dat();
    const running = pair.startSync(...more);
    while (!running.ended && (sizeOf(file) ?? 0) < before + MIB) await setImmediate();
    running.signal('SIGSTOP');
    const size = sizeOf(file);
    if (!running.ended && size !== undefined && size < pair.site.committedEnd && dat() === datBefore) return running;
    running.signal('SIGCONT');
    await running.end();
    again();
  }
  return assert.fail('no copy could be met in its middle');
}
