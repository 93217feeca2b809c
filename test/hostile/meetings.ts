import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { withTempDir } from '../support/site.js';
import { LimitedSyncer } from './limited.js';
import { type Meeting, meetings, type Result, Stage } from './meeting.js';
import { runs } from './settings.js';

/** A bad tail is probed several times with pauses, so many meetings run at the same time. */
const AT_A_TIME = 100;
/** MiB for the whole syncing process: Node itself, its limited heap, and the windows of this many syncs. */
const MEMORY = 400;

/** Runs about this many meetings. Returns how often each action ended with each exit status. */
export async function meet(count: number): Promise<Map<string, number>> {
  const tally = new Map<string, number>();
  const syncer = new LimitedSyncer();
  await withTempDir(async (directory) => {
    let round = 0;
    const property = fc.asyncProperty(
      fc.array(meetings, { minLength: 1, maxLength: AT_A_TIME, size: 'max' }),
      async (several) => {
        const here = join(directory, String(round++));
        mkdirSync(here);
        for (const { action, exitCode } of await meetAll(several, here, syncer)) {
          const outcome = `${action}, exit ${exitCode}`;
          tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
        }
        rmSync(here, { recursive: true });
      },
    );
    try {
      // A failing list is not shrunk, which would take minutes: the message names the one meeting.
      await fc.assert(property, { ...runs(Math.ceil(count / (AT_A_TIME / 2))), endOnFailure: true });
    } finally {
      await syncer.close();
    }
  });
  assert.ok(syncer.peakMemory < MEMORY, `${syncer.peakMemory} MiB`);
  tally.set('MiB of memory at the most', Math.round(syncer.peakMemory));
  return tally;
}

async function meetAll(several: readonly Meeting[], directory: string, syncer: LimitedSyncer): Promise<Result[]> {
  const stages = several.map((meeting, n) => new Stage(join(directory, String(n)), meeting));
  const copied = stages.filter((stage) => stage.before());
  const first = await syncer.sync(copied.map((stage) => stage.options()));
  for (const { exitCode, reason } of first) assert.equal(exitCode, 0, reason);
  for (const stage of stages) stage.between();
  const results = await syncer.sync(stages.map((stage, n) => stage.options(several[n]!.full)));
  for (const [n, stage] of stages.entries()) named(several[n]!, results[n]!, () => stage.after(results[n]!));
  const again = await syncer.sync(stages.map((stage) => stage.options()));
  for (const [n, stage] of stages.entries()) named(several[n]!, again[n]!, () => stage.last(again[n]!));
  return [...results];
}

function named(meeting: Meeting, result: Result, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${error}\nmeeting: ${JSON.stringify(meeting, bigintsInHex)}\nended: ${JSON.stringify(result)}`);
  }
}

function bigintsInHex(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}
