import type { MonitoredStorage } from '../monitor/monitored.js';
import type { Standing } from '../report/standing.js';
import { isForeseen } from '../round/exit.js';
import type { SyncResult } from '../round/result.js';
import { isCurrent } from '../round/session.js';
import { masterSideByName, slavePaths } from '../standby/paths.js';
import type { StorageWatch } from '../watch/storage-watch.js';
import type { Probed } from './probe-master.js';
import { readStanding } from './status.js';

/** A storage of a watch, as its page, figures and health checks show it. */
export function monitoredOf(watch: StorageWatch): MonitoredStorage {
  const { storage, figures, lag } = watch;
  const { slave, file, statusFile } = storage.round;
  const path = pathOfSlave(watch);
  return {
    name: storage.name,
    slave: path,
    figures,
    get lagHistory() {
      return lag.points;
    },
    async standing() {
      const probed = probedBy(watch);
      const { timeoutSeconds } = storage;
      const standing = await readStanding({ slave, master: undefined, file, statusFile, timeoutSeconds, probed });
      return inStepSince(standing, figures.inStepAsOf);
    },
  };
}

/** Found out once: the figures of a storage go by it. */
function pathOfSlave({ storage }: StorageWatch): string {
  const { master, slave, file } = storage.round;
  try {
    return slavePaths(slave, file, masterSideByName(master, slave, file)).data;
  } catch (error) {
    if (!isForeseen(error)) throw error;
    // The rounds report it; there are no figures of a slave that cannot be.
    return slave;
  }
}

/** What the last check or round has found of the master. undefined: nothing, or none has ended. */
function probedBy({ figures, lastResult, turn, storage }: StorageWatch): Probed | undefined {
  const { hungSince, trouble } = figures;
  const path = lastResult?.master.path ?? storage.round.master;
  const unknown = { path, lastTid: null, lastTime: null };
  if (hungSince !== undefined) {
    const why = `its mount has not answered since ${new Date(hungSince).toISOString()}`;
    return { master: { ...unknown, problem: why }, now: { kind: 'out-of-reach', why } };
  }
  if (!lastResult || FOUND_NOTHING.has(lastResult.action)) return undefined;
  const { reason, slave } = lastResult;
  if (trouble === 'out-of-reach')
    return { master: { ...unknown, problem: reason }, now: { kind: 'out-of-reach', why: reason } };
  if (!isCurrent(lastResult)) return { master: { ...unknown, problem: null }, now: { kind: 'unknown', why: reason } };
  const { lack } = turn;
  if (lack)
    return { master: { ...unknown, problem: null }, now: { kind: 'behind', ...lack, transactions: null, bytes: null } };
  return {
    master: { path, problem: null, lastTid: slave.lastTid, lastTime: slave.lastTime },
    now: { kind: 'behind', seconds: 0, transactions: 0, bytes: 0 },
  };
}

/** Switched off, or another sync is at work: the slave is what its files say, as for `status`. */
const FOUND_NOTHING: ReadonlySet<SyncResult['action']> = new Set(['off', 'busy']);

/** A check that finds nothing new records nothing; the watch itself knows that the slave is in step. */
function inStepSince(standing: Standing, asOf: number | undefined): Standing {
  if (asOf === undefined || (standing.lastSync !== null && Date.parse(standing.lastSync) >= asOf)) return standing;
  const ageSeconds = Math.max(0, Math.round((Date.now() - asOf) / 1000));
  return { ...standing, lastSync: new Date(asOf).toISOString(), ageSeconds };
}
