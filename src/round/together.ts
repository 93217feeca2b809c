import { IoFault } from '../io/fault.js';
import type { Log } from '../report/log.js';
import { slavePaths } from '../standby/paths.js';
import { type CommonRecord, writeTogether } from '../standby/together-file.js';
import type { CommonMoment } from './common-moment.js';
import { Group } from './group.js';
import { runSync, type SyncOptions, type SyncResult } from './run-sync.js';

export interface TogetherResult {
  /** In the order of the members. */
  readonly results: readonly SyncResult[];
  /**
   * All slaves show the masters as they were at this moment, in milliseconds since the epoch. undefined: no slave was
   * advanced, unless a crash or an I/O error came between two of them.
   */
  readonly moment: number | undefined;
}

/** Attempts of one run, which starts over when a master is exchanged meanwhile. */
const ATTEMPTS = 3;

/**
 * One round of the storages of a group: brings all slaves to what their masters were at one moment, or none of them.
 * Returns faults as results; throws none.
 */
export async function runTogether(members: readonly SyncOptions[], log: Log): Promise<TogetherResult> {
  for (let attempt = 1; ; attempt++) {
    const group = new Group(members.length, attempt === ATTEMPTS);
    const results = await Promise.all(
      members.map(async (options, index) => {
        const result = await runSync({ ...options, member: group.member(index) });
        group.settled(index, result);
        return result;
      }),
    );
    if (group.startsOver) {
      log.info({}, 'a master was exchanged for another file; the group starts over');
      continue;
    }
    const { reached } = group;
    if (reached && !results.some(({ dryRun }) => dryRun)) record(reached, results, log);
    return { results, moment: reached?.time };
  }
}

/** Notes the moment beside each slave, for `status`. No sync reads it. */
function record({ time, places }: CommonMoment, results: readonly SyncResult[], log: Log): void {
  const members = results.map(({ slave }, index) => ({ path: slave.path, tid: places[index]?.tid ?? 0n }));
  const common: CommonRecord = { moment: time, members };
  for (const { path } of members) {
    try {
      writeTogether(slavePaths(path, undefined), common);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      log.warn({}, `the common moment could not be recorded, 'status' does not know of it: ${error.message}`);
    }
  }
}
