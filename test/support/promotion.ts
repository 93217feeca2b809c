import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { xxh64 } from './chunks.js';
import { assertNoCrash, type Run, syncpozo } from './cli.js';
import type { Pair } from './pair.js';

const STATUS_OFFSET = 16;

/** Arguments of a promotion of a pair's slave. */
export function promoteArgs(pair: Pair, ...more: string[]): string[] {
  return ['promote', pair.slave, '--status-file', pair.statusFile, '--json', ...more];
}

/** A promotion that must not crash, and whose exit status must agree with its result. */
export function promote(pair: Pair, ...more: string[]): Run {
  const run = syncpozo(promoteArgs(pair, ...more));
  assertNoCrash(run);
  assert.equal(run.exit, run.json.exitCode, run.all);
  return run;
}

/** Asserts that it ended so, and that the role is set and the switch off. */
export function assertPromoted(pair: Pair, run: Run, exit = 0): void {
  assert.deepEqual([run.exit, run.json.promoted], [exit, true], run.all);
  assert.equal(roleOf(pair), 'master');
  assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=0\n');
}

/** The facts of the role file, parsed independently. */
export function roleOf(pair: Pair): string | undefined {
  return /^role (\w+)$/m.exec(readFileSync(roleFileOf(pair), 'utf8'))?.[1];
}

export function roleFileOf(pair: Pair): string {
  return `${pair.slaveFile}.role`;
}

/** The term lines of the role file, without time, host and command. */
export function termsOf(pair: Pair): string[] {
  const lines = readFileSync(roleFileOf(pair), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('began '))
    .map((line) => line.replace(/^began (\d+) (\d+) (\w+) \d+ \S+ (\S+) (\w+)$/, '$1 $2 $3 $4 $5'));
}

/** Converts a pair's `.dat` to the previous version's, which had no role file; by default of a promoted slave. */
export function promotedInOldDat(pair: Pair, promoted?: string, role = 'promoted'): void {
  rmSync(roleFileOf(pair), { force: true });
  const lines = readFileSync(pair.dat, 'utf8').split('\n').slice(1, -2);
  const chunk = lines.findIndex((line) => line.startsWith('chunk '));
  const all = [
    'syncpozo 2',
    `role ${role}`,
    ...lines.slice(0, chunk),
    ...(promoted ? [promoted] : []),
    ...lines.slice(chunk),
  ];
  const body = all.map((line) => `${line}\n`).join('');
  const chunks = all.filter((line) => line.startsWith('chunk ')).length;
  writeFileSync(pair.dat, `${body}end ${chunks} ${xxh64(Buffer.from(body))}\n`);
}

/** The master's transactions that the slave lacks, with another status for the first one. */
export function batchBeyond(pair: Pair, status?: string): Buffer {
  const end = pair.site.committedEnd;
  pair.commit('one', 'two');
  const batch = Buffer.from(readFileSync(pair.masterFile).subarray(end));
  if (status) batch.write(status, STATUS_OFFSET);
  return batch;
}

export async function eventually(holds: () => boolean): Promise<void> {
  for (let probe = 0; probe < 500 && !holds(); probe++) await sleep(10);
  assert.ok(holds());
}
