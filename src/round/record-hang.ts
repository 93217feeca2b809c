import type { Log } from '../report/log.js';
import { masterSideByName, slavePaths } from '../standby/paths.js';
import { readSwitch } from '../standby/switch.js';
import { EXIT, isForeseen } from './exit.js';
import { OutcomeRecorder } from './recorder.js';
import { plainResult } from './result.js';
import type { SyncOptions } from './run-sync.js';

export const HANG_HINT = "is the master's host up? The watch goes on as soon as its mount answers; nothing is lost";

/**
 * Records that the mount of the master has not answered since then, as a sync that fails because of it would: for a watch,
 * which begins no round before the mount answers. Accesses this side alone.
 */
export function recordHang(options: SyncOptions & { readonly statusFile: string }, since: number, log: Log): void {
  const { master, slave, file, storage, onEvents, statusFile } = options;
  try {
    if (readSwitch(statusFile) === 'off') return;
    const paths = slavePaths(slave, file, masterSideByName(master, slave, file));
    const round = { masterPath: master, slavePath: paths.data, dryRun: false, seconds: 0 };
    const reason = `the mount of ${master} has not answered since ${new Date(since).toISOString()}`;
    const recorder = new OutcomeRecorder(paths, log, storage);
    if (recorder.isPromoted) return;
    const result = plainResult(round, 'failed', EXIT.fault, reason, HANG_HINT);
    recorder.publish(recorder.record(result, 'out-of-reach'), onEvents);
  } catch (error) {
    if (!isForeseen(error)) throw error;
    log.warn({}, `it cannot be recorded that the master's mount hangs: ${error.message}`);
  }
}
