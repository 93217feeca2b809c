import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { ListenAddress } from '../config/listen.js';
import type { HookSettings } from '../events/hook-settings.js';
import { hooksOf } from '../events/hooks.js';
import type { Monitored } from '../monitor/monitored.js';
import { serve } from '../monitor/serve.js';
import type { OpenedLog } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import { FiguresFile } from '../watch/figures-file.js';
import { heartbeatOf } from '../watch/heartbeat.js';
import { notifierOf } from '../watch/notify.js';
import { Watch } from '../watch/watch.js';
import type { WatchedStorage } from '../watch/watched-storage.js';
import { monitoredOf } from './watch-monitored.js';

export interface WatchOptions {
  readonly storages: readonly WatchedStorage[];
  readonly intervalSeconds: number;
  readonly listen: ListenAddress | undefined;
  readonly textfile: string | undefined;
  /** A URL that is called while every storage is in step. */
  readonly heartbeat: string | undefined;
  readonly hooks: HookSettings | undefined;
  readonly log: OpenedLog;
  readonly version: string;
  readonly onResult: (storage: string, result: SyncResult) => void;
}

/** Watches until SIGTERM or SIGINT, with all that reports of it. Throws an IoFault if it cannot begin. */
export async function runWatch(options: WatchOptions): Promise<void> {
  const { log, intervalSeconds } = options;
  const stop = new AbortController();
  // Each read and each pause of each storage waits for it as well.
  setMaxListeners(0, stop.signal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  process.on('SIGHUP', () => log.reopen());
  const hooks = hooksOf(options.hooks, log);
  const storages = options.storages.map((storage) => ({
    ...storage,
    round: { ...storage.round, storage: storage.name, onEvents: hooks.emit.bind(hooks) },
  }));
  const watch = new Watch(storages, {
    intervalMs: intervalSeconds * 1000,
    log,
    stop: stop.signal,
    onResult: options.onResult,
  });
  const monitored: Monitored = {
    version: options.version,
    host: hostname(),
    startedAt: Date.now(),
    intervalSeconds,
    storages: watch.storages.map(monitoredOf),
  };
  const notifier = notifierOf(process.env, { log });
  const heartbeat = heartbeatOf(options.heartbeat, { log });
  const serving = options.listen && (await serve(monitored, { ...options.listen, log }));
  const figures = options.textfile === undefined ? undefined : new FiguresFile(options.textfile, monitored, log);
  log.info({ storages: storages.map(({ name }) => name), interval: intervalSeconds }, 'watching');
  notifier.ready('watching');
  try {
    await watch.run({
      alive() {
        notifier.watchdog();
        notifier.status(watch.summary);
      },
      inStep: () => heartbeat.beat(),
    });
  } finally {
    notifier.stopping('ended by a signal');
    hooks.release();
    heartbeat.close();
    hooks.release();
    figures?.close();
    await serving?.close();
  }
  log.info({}, 'ended by a signal');
}
