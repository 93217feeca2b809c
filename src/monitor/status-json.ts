import { worstExit } from '../report/worst-exit.js';
import { DEFAULT_LIMITS, isoOf, rounded } from './health.js';
import { CHECKS, judge } from './judgement.js';
import type { Monitored, RoundFigures } from './monitored.js';
import type { Snapshot, StorageSnapshot } from './snapshot.js';
import type { Views } from './views.js';

/** The JSON object of `/status.json`. Fields are only ever added. null: not known. */
export function statusJson(monitored: Monitored, snapshot: Snapshot, views: Views) {
  const { version, host, startedAt, intervalSeconds } = monitored;
  return {
    storages: Object.fromEntries(snapshot.storages.map((each) => [each.storage.name, storageJson(each, views)])),
    exitCode: exitOf(monitored),
    watch: {
      version,
      host,
      time: new Date(snapshot.takenAt).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      intervalSeconds,
    },
  };
}

function storageJson(each: StorageSnapshot, views: Views) {
  const { storage, standing, unreadable } = each;
  const view = views.of(each);
  return {
    ...standing,
    slave: storage.slave,
    unreadable: unreadable ?? null,
    health: Object.fromEntries(CHECKS.map((check) => [check, judge(check, view, DEFAULT_LIMITS)])),
    figures: figuresJson(storage.figures, view.inStepAge),
    lagHistory: storage.lagHistory.map(({ time, seconds }) => ({ time: isoOf(time), seconds })),
    events: standing?.events ?? [],
  };
}

/** Field by field: the watch's own object may have more in it. */
function figuresJson(figures: RoundFigures, inStepAge: number | undefined) {
  const { last } = figures;
  return {
    rounds: figures.rounds,
    faults: figures.faults,
    copiedBytes: figures.copiedBytes,
    copiedTransactions: figures.copiedTransactions,
    copiedBlobs: figures.copiedBlobs,
    copiedBlobBytes: figures.copiedBlobBytes,
    scrubbedBytes: figures.scrubbedBytes,
    scrubbedBad: figures.scrubbedBad,
    phaseSeconds: figures.phaseSeconds,
    last: last ? { ...last, beganAt: isoOf(last.beganAt), endedAt: isoOf(last.endedAt) } : null,
    inStepAsOf: isoOf(figures.inStepAsOf),
    inStepAgeSeconds: rounded(inStepAge),
    runningSince: isoOf(figures.runningSince),
    hungSince: isoOf(figures.hungSince),
    hungReads: figures.hungReads,
  };
}

/** The worst exit status of the storages' last rounds; null: no round has ended. */
function exitOf({ storages }: Monitored): number | null {
  const exits = storages.flatMap(({ figures: { last } }) => (last ? [last.exitCode] : []));
  return exits.length === 0 ? null : worstExit(exits);
}
