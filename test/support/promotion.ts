import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDat } from '../../src/standby/dat.js';
import { assertNoCrash, type Run, syncpozo } from './cli.js';
import type { Pair } from './pair.js';

const STATUS_OFFSET = 16;

/** Arguments of a promotion of a pair's slave. */
export function promoteArgs(pair: Pair, ...more: string[]): string[] {
  return ['promote', pair.slave, '--status-file', pair.statusFile, '--json', ...more];
}

/** A promotion that must not crash, and whose exit status is the one that it tells. */
export function promote(pair: Pair, ...more: string[]): Run {
  const run = syncpozo(promoteArgs(pair, ...more));
  assertNoCrash(run);
  assert.equal(run.exit, run.json.exitCode, run.all);
  return run;
}

/** Asserts that it ended so, and that the role is set and the switch off. */
export function assertPromoted(pair: Pair, run: Run, exit = 0): void {
  assert.deepEqual([run.exit, run.json.promoted], [exit, true], run.all);
  assert.equal(roleOf(pair), 'promoted');
  assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=0\n');
}

export function roleOf(pair: Pair): string {
  const parsed = parseDat(readFileSync(pair.dat, 'utf8'));
  assert.ok('dat' in parsed);
  return parsed.dat.role;
}

/** What the master has beyond the slave, with another status for its first transaction. */
export function batchBeyond(pair: Pair, status?: string): Buffer {
  const end = pair.site.committedEnd;
  pair.commit('one', 'two');
  const batch = Buffer.from(readFileSync(pair.masterFile).subarray(end));
  if (status) batch.write(status, STATUS_OFFSET);
  return batch;
}

export async function eventually(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 500 && !holds(); look++) await sleep(10);
  assert.ok(holds());
}
