import type { Log } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import { StorageWatch, type WatchedStorage } from './storage-watch.js';

/** What the watch reports of all storages. Each call returns at once. */
export interface Reports {
  /** Every storage has ended a check or a round with an answer of its master since the last call. */
  allAnswered(): void;
}

/** Watches storages, each with its rounds of its own, until the signal. */
export class Watch {
  readonly storages: readonly StorageWatch[];
  private readonly answered = new Set<StorageWatch>();

  constructor(
    storages: readonly WatchedStorage[],
    intervalMs: number,
    log: Log,
    stop: AbortSignal,
    onResult: (name: string, result: SyncResult) => void,
  ) {
    this.storages = storages.map(
      (storage) => new StorageWatch(storage, intervalMs, log, stop, (result) => onResult(storage.name, result)),
    );
  }

  /** Resolves when the signal has ended every round. */
  async run(reports: Reports): Promise<void> {
    const onTurn = (one: StorageWatch, answered: boolean): void => {
      if (answered) this.answered.add(one);
      if (this.answered.size < this.storages.length) return;
      this.answered.clear();
      reports.allAnswered();
    };
    await Promise.all(this.storages.map((one) => one.run((answered) => onTurn(one, answered))));
  }

  /** Whether every storage was in step at its last check. */
  get isInStep(): boolean {
    return this.storages.every(({ lastResult, figures }) => lastResult?.exitCode === 0 && !figures.hungSince);
  }
}
