import assert from 'node:assert/strict';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { run } from '../zodb/syncer.js';

const MOST_OUTPUT = 20_000;

/** Plays random ways back (see wayback.py); returns the last line, its counts. */
export function runWayback(...args: readonly string[]): Promise<string> {
  return runScript('wayback.py', args);
}

/** Shows that the judge finds the faults of a stand-in (see prove.py); returns the last line. */
export function proveJudge(...args: readonly string[]): Promise<string> {
  return runScript('prove.py', args);
}

/** Kills a rejoin before each of its calls (see sweep.py); returns the last line. */
export function sweepKills(...args: readonly string[]): Promise<string> {
  return runScript('sweep.py', args);
}

async function runScript(name: string, args: readonly string[]): Promise<string> {
  const { exitCode, out, err } = await run(python(), ['-B', inProject('test', 'wayback', name), ...args]);
  assert.equal(exitCode, 0, `${out.slice(-MOST_OUTPUT)}${err.slice(-MOST_OUTPUT)}`);
  return out.trim().split('\n').at(-1) ?? '';
}
