import assert from 'node:assert/strict';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { run } from '../zodb/syncer.js';

const MOST_OUTPUT = 12_000;

/** Runs this many random histories (see histories.py); returns the last line, its counts. */
export async function runHistories(count: number, seed: string, kinds: string): Promise<string> {
  const script = inProject('test', 'histories', 'histories.py');
  const args = ['-B', script, '--count', String(count), '--seed', seed, '--kinds', kinds];
  const { exitCode, out, err } = await run(python(), args);
  assert.equal(exitCode, 0, `${out.slice(-MOST_OUTPUT)}${err.slice(-MOST_OUTPUT)}`);
  return out.trim();
}
