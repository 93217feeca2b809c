import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fastDirectory } from '../crash/materialise.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { run } from './syncer.js';

/** Test classes of ZODB.tests.testFileStorage. */
export const PLAIN_CLASSES = ['FileStorageTests', 'FileStorageRecoveryTest', 'FileStorageNoRestoreRecoveryTest'];
export const WRAPPED_CLASSES = [
  'FileStorageHexTests',
  'FileStorageTestsWithBlobsEnabled',
  'FileStorageHexTestsWithBlobsEnabled',
  'FileStorageHexRecoveryTest',
];

const SERVER = inProject('dist', 'test', 'zodb', 'sync-server.js');

/** Runs ZODB's FileStorage tests with a sync at each step; returns the counts. */
export function runFileStorageTests(classes: readonly string[]): Promise<string> {
  return runPython('filestorage_suite.py', [classes.join(',')]);
}

/** Runs repozo's Monte Carlo test with a sync in the backup's place; returns the counts. */
export function runMonteCarlo(rounds: number, seed: string): Promise<string> {
  return runPython('monte_carlo.py', [String(rounds), seed]);
}

function runPython(script: string, args: readonly string[]): Promise<string> {
  return withTempDir(async (directory) => {
    // ZODB's tests leave files in TMPDIR and in the current directory.
    const environment = ['env', '-C', directory, `TMPDIR=${directory}`, `PYTHONDONTWRITEBYTECODE=1`];
    const [program, ...before] = [...environment, python(), inProject('test', 'zodb', script)];
    const ended = await run(program!, [...before, ...args, process.execPath, SERVER]);
    assert.equal(ended.exitCode, 0, `${join('test', 'zodb', script)}\n${ended.err.slice(-8_000)}${ended.out}`);
    return ended.out.trim();
  }, fastDirectory());
}
