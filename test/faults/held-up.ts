import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Run, Running } from '../support/cli.js';
import type { Pair } from '../support/pair.js';
import { injected, ONE_THREAD } from './strace.js';
import { parseTrace } from './trace.js';

/** Long enough to do something meanwhile. */
const DELAY = 'delay_enter=1500ms';

/** Pauses a run before its n-th call on the path, calls `meanwhile`, and returns the run's result. */
export async function heldUpAt(
  pair: Pair,
  args: readonly string[],
  { call, path, when }: { readonly call: string; readonly path: string; readonly when: number },
  meanwhile: () => void,
): Promise<Run> {
  const log = join(pair.directory, 'trace');
  const through = injected({ call, path, when, what: DELAY }, { log, calls: [call] });
  const running = Running.start(args, { through, env: ONE_THREAD });
  const made = () => (existsSync(log) ? parseTrace(readFileSync(log, 'utf8')).length : 0);
  while (made() < when - 1 && !running.ended) await sleep(5);
  assert.ok(!running.ended, 'the run was met in its middle');
  meanwhile();
  return running.end();
}
