import { IoFault } from '../io/fault.js';
import type { Log } from '../report/log.js';
import { datWrittenAt, type EndedRun, readOutcome, recordAfter, writeOutcome } from '../standby/outcome-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { EXIT } from './exit.js';
import type { SyncResult } from './result.js';

/**
 * Records how one run of a sync ended, for `status` and `promote`.
 *
 * Invariants: a record that cannot be read or written never fails the run. Three kinds of runs are not recorded: a dry
 * run; a run that decided nothing (switched off, or another sync is running); and a mistake on the command line, which
 * is no information about the slave, and SLAVE may be a master's directory by mistake.
 */
export class OutcomeRecorder {
  private locked: { readonly datTime: number | undefined } | undefined;

  constructor(
    private readonly paths: SlavePaths,
    private readonly log: Log,
  ) {}

  /** The run holds the lock from now on, and has not written anything yet. */
  underLock(): void {
    this.locked = { datTime: datWrittenAt(this.paths) };
  }

  /** Records the result; if the run had the lock, it must still hold it. */
  record(result: SyncResult, trouble: EndedRun['trouble']): void {
    const { action, exitCode, reason } = result;
    if (result.dryRun || action === 'off' || action === 'busy' || exitCode === EXIT.usage) return;
    try {
      const run = { time: Date.now(), exitCode, action, reason, trouble };
      // After a run in step nothing of the old record is kept, so it need not be read.
      const before = trouble === undefined ? { missing: true as const } : readOutcome(this.paths);
      const { datTime } = this.locked ?? { datTime: datWrittenAt(this.paths) };
      writeOutcome(this.paths, recordAfter(run, before, datTime), this.locked !== undefined);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      this.log.warn({}, `the outcome could not be recorded, 'status' does not know of this run: ${error.message}`);
    }
  }
}
