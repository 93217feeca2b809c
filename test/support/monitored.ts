import type { TestContext } from 'node:test';
import type { Monitored, MonitoredStorage, RoundFigures } from '../../src/monitor/monitored.js';
import { type Serving, serve } from '../../src/monitor/serve.js';
import { type Log, SILENT } from '../../src/report/log.js';
import type { Standing } from '../../src/report/standing.js';

type Changes<T> = { readonly [Key in keyof T]?: T[Key] };

export const isoAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** A slave in step, with changes. */
export function aStanding(changes: Changes<Standing> = {}): Standing {
  const slave = changes.slave ?? '/srv/zeo/var/Data.fs';
  return {
    slave,
    role: 'slave',
    roleProblem: null,
    term: 1,
    state: 'in-step',
    since: null,
    stateReason: null,
    lastOutcome: { time: isoAgo(2), exitCode: 0, action: 'append', reason: '' },
    switch: 'on',
    statusFile: '/var/run/syncPozo.status',
    lockedBy: 'nobody',
    size: 1000,
    claim: { position: 1000, tid: '03f4a5b6c7d8e9f0', time: isoAgo(30) },
    blobs: null,
    problem: null,
    lastSync: isoAgo(2),
    ageSeconds: 2,
    lastFullScrub: isoAgo(3600),
    fullScrubAgeSeconds: 3600,
    master: {
      path: slave.replace('/srv', '/mnt/m1'),
      problem: null,
      lastTid: '03f4a5b6c7d8e9f0',
      lastTime: isoAgo(30),
    },
    lag: { seconds: 0, transactions: 0, bytes: 0 },
    events: [],
    eventsProblem: null,
    together: null,
    lagProblem: null,
    promoted: null,
    keptAside: [],
    keptPacked: [],
    ...changes,
  };
}

export function figures(changes: Changes<RoundFigures> = {}): RoundFigures {
  const now = Date.now();
  return {
    rounds: { none: 100, append: 20 },
    faults: {},
    copiedBytes: 123_456,
    copiedTransactions: 20,
    copiedBlobs: 0,
    copiedBlobBytes: 0,
    scrubbedBytes: 1000,
    scrubbedBad: 0,
    phaseSeconds: { check: 1.5, copy: 2.25 },
    damagedSlave: undefined,
    last: { beganAt: now - 900, endedAt: now - 800, action: 'none', exitCode: 0, reason: 'nothing new', hint: null },
    inStepAsOf: now - 900,
    runningSince: undefined,
    hungSince: undefined,
    hungReads: 0,
    ...changes,
  };
}

export interface StorageChanges {
  readonly name?: string;
  readonly standing?: Changes<Standing> | Error | (() => Promise<Standing>);
  readonly figures?: Changes<RoundFigures>;
  readonly lagHistory?: MonitoredStorage['lagHistory'];
  readonly events?: Standing['events'];
}

export function aStorage(changes: StorageChanges = {}): MonitoredStorage {
  const { standing = {} } = changes;
  const slave = (typeof standing === 'object' && 'slave' in standing && standing.slave) || '/srv/zeo/var/Data.fs';
  return {
    name: changes.name ?? 'main',
    slave,
    standing: async () => {
      if (standing instanceof Error) throw standing;
      return typeof standing === 'function'
        ? standing()
        : aStanding({ ...standing, ...(changes.events && { events: changes.events }) });
    },
    figures: figures(changes.figures),
    lagHistory: changes.lagHistory ?? [],
  };
}

export function monitoredOf(...storages: readonly StorageChanges[]): Monitored {
  return {
    version: '0.2.0',
    host: 'm2',
    startedAt: Date.now() - 3_600_000,
    intervalSeconds: 1,
    storages: (storages.length === 0 ? [{}] : storages).map(aStorage),
  };
}

/** Serves it on a free port until the test ends. */
export async function served(t: TestContext, monitored: Monitored, log: Log = SILENT): Promise<Serving> {
  const serving = await serve(monitored, { host: '127.0.0.1', port: 0, log });
  t.after(() => serving.close());
  return serving;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function get(port: number, path: string, method = 'GET'): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
