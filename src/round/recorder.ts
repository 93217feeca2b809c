import type { SlaveEvent } from '../events/event.js';
import { logEvents } from '../events/event-log.js';
import { recordEvents } from '../events/history.js';
import { eventsOfRound } from '../events/round-events.js';
import { IoFault } from '../io/fault.js';
import type { Log } from '../report/log.js';
import { datWrittenAt, type EndedRun, readOutcome, recordAfter, writeOutcome } from '../standby/outcome-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { NOTHING_RAISED, type Raised } from '../standby/raised.js';
import { isKnownToServe } from '../standby/role-of.js';
import { EXIT } from './exit.js';
import type { SyncResult } from './result.js';

/**
 * Records how one run of a sync ended, for `status` and `promote`, and finds out which events that is.
 *
 * Invariants: a record that cannot be read or written never fails the run. Three kinds of runs are not recorded: a dry
 * run; a run that decided nothing (switched off, or another sync is running); and a mistake on the command line, which
 * is no information about the slave, and SLAVE may be a master's directory by mistake.
 */
export class OutcomeRecorder {
  private locked: { readonly datTime: number | undefined } | undefined;

  constructor(
    readonly paths: SlavePaths,
    private readonly log: Log,
    private readonly storage: string | undefined,
  ) {}

  /** The run holds the lock from now on, and has not written anything yet. */
  underLock(): void {
    this.locked = { datTime: datWrittenAt(this.paths) };
  }

  /** Records the result, and returns its events; if the run had the lock, it must still hold it. */
  record(result: SyncResult, trouble: EndedRun['trouble']): readonly SlaveEvent[] {
    const { action, exitCode, reason } = result;
    if (result.dryRun || action === 'off' || action === 'busy' || exitCode === EXIT.usage) return [];
    const time = Date.now();
    const before = readOutcome(this.paths);
    const last = 'outcome' in before ? before.outcome : undefined;
    const ended = { time, trouble, result, storage: this.storage };
    const known = last?.raised ?? NOTHING_RAISED;
    const { events, raised } = eventsOfRound(known, ended);
    try {
      const { datTime } = this.locked ?? { datTime: datWrittenAt(this.paths) };
      const run = { time, exitCode, action, reason, trouble };
      const record = recordAfter(run, before, datTime, isNothing(raised) ? undefined : raised);
      writeOutcome(this.paths, record, this.locked !== undefined);
      return events;
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      this.log.warn({}, `the outcome could not be recorded, 'status' does not know of this run: ${error.message}`);
      // The runs before could not be recorded either: the trouble may have begun with the first of them.
      return eventsOfRound(known, ended, last?.time).events;
    }
  }

  /** A promoted slave needs no master, whatever has become of that. */
  get isPromoted(): boolean {
    return isKnownToServe(this.paths);
  }

  /** Keeps the events beside the slave, logs them, and hands them on. The lock need not be held. */
  publish(events: readonly SlaveEvent[], onEvents: ((events: readonly SlaveEvent[]) => void) | undefined): void {
    if (events.length === 0) return;
    recordEvents(this.paths, events, this.log);
    logEvents(events, this.log);
    onEvents?.(events);
  }
}

function isNothing({ trouble, open, last }: Raised): boolean {
  return trouble === undefined && open === undefined && last.length === 0;
}
