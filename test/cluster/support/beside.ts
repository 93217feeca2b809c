import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { inProject } from '../../support/root.js';

/**
 * A program below test/cluster that runs beside the test, in a network namespace of the test hosts, and prints a line of JSON for each
 * thing that it notes. Its output is a file: a test that waits for another program must not hold it up.
 *
 * Invariant: it ends with the test, because its standard input does.
 */
export class Beside {
  private readonly process: ChildProcess;

  /** `enter`: the prefix of a command that runs it in the namespace. */
  constructor(enter: readonly string[], script: string, argument: string, out: string) {
    const file = openSync(out, 'a');
    const [program = '', ...args] = [...enter, process.execPath, inProject('dist', 'test', 'cluster', script)];
    this.process = spawn(program, [...args, argument], { stdio: ['pipe', file, 'inherit'] });
    closeSync(file);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.stdin?.end();
    await ended;
  }
}
