import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Far longer than anything here takes on a busy machine. */
const LONGEST_WAIT_MS = 20_000;

/** Waits until `holds` returns true. */
export async function eventually(what: string, holds: () => boolean, longest = LONGEST_WAIT_MS): Promise<void> {
  const until = Date.now() + longest;
  while (!holds()) {
    assert.ok(Date.now() < until, `${what}: not within ${longest} ms`);
    await sleep(10);
  }
}
