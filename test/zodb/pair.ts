import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { withTempDir } from '../support/site.js';
import { type SyncOutcome, syncByProcess, syncCommand } from './syncer.js';

/** A master's directory and a slave's, for tests with one sync at a time. */
export class Pair {
  readonly master: string;
  readonly slave: string;
  readonly statusFile: string;

  private constructor(readonly directory: string) {
    this.master = join(directory, 'master', 'Data.fs');
    this.slave = join(directory, 'slave', 'Data.fs');
    this.statusFile = join(directory, 'syncPozo.status');
    mkdirSync(join(directory, 'master'));
    mkdirSync(join(directory, 'slave'));
  }

  static async with<T>(use: (pair: Pair) => Promise<T>): Promise<T> {
    return withTempDir((directory) => use(new Pair(directory)));
  }

  sync(): Promise<SyncOutcome> {
    return syncByProcess(this.master, this.slave, { statusFile: this.statusFile });
  }

  async syncMust(exitCode: number, what: string): Promise<SyncOutcome> {
    const outcome = await this.sync();
    assert.equal(outcome.exitCode, exitCode, `${what}: exit status\n${outcome.output}`);
    return outcome;
  }

  assertInStep(what: string): void {
    assert.ok(readFileSync(this.slave).equals(readFileSync(this.master)), `${what}: the slave equals the master`);
  }

  /** Calls `use` while a sync is paused in the middle of its copying; afterwards the sync continues, unless it was killed. */
  async whileHeldUp(use: (held: { readonly kill: () => Promise<void> }) => Promise<void>): Promise<number | null> {
    const [program, ...args] = syncCommand(this.master, this.slave, { statusFile: this.statusFile });
    const before = this.written();
    const child = spawn(program, args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    try {
      while (child.exitCode === null && this.written() === before) await turn();
      child.kill('SIGSTOP');
      assert.ok(child.exitCode === null, 'the sync was over before it could be held up');
      const kill = async (): Promise<void> => {
        child.kill('SIGKILL');
        await ended;
      };
      await use({ kill });
    } finally {
      child.kill('SIGCONT');
      await ended;
    }
    return child.exitCode;
  }

  /** Bytes in the slave's file and in the file of a rebuild. */
  private written(): number {
    return [this.slave, `${this.slave}.new`]
      .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size);
  }
}
