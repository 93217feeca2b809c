import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import { StorageWatch } from './storage-watch.js';
import type { WatchedStorage } from './watched-storage.js';

/** What the watch reports of all storages. Each call returns at once. */
export interface Reports {
  /** Every storage has ended a check or a round since the last call, or got on with one: no mount hangs. */
  alive(): void;
  /** As alive, and a check or a round has just ended that left every storage in step. */
  inStep(): void;
}

/** Between two reports that no mount hangs: a long copy answers a thousand times a second. */
const REPORT_MS = 500;

/** Watches storages, each with its rounds of its own, until the signal. */
export class Watch {
  readonly storages: readonly StorageWatch[];
  private readonly answered = new Set<StorageWatch>();
  private aliveAt = Number.NEGATIVE_INFINITY;

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

  /** One line about every storage, for `systemctl status`. */
  get summary(): string {
    return this.storages.map((one) => `${one.storage.name}: ${one.summary}`).join('; ');
  }

  /** Resolves when the signal has ended every round. */
  async run(reports: Reports): Promise<void> {
    const onAnswer = (one: StorageWatch): void => {
      this.answered.add(one);
      if (this.answered.size < this.storages.length) return;
      if (milliseconds() - this.aliveAt < REPORT_MS) return;
      this.aliveAt = milliseconds();
      this.answered.clear();
      reports.alive();
    };
    const onEnd = (one: StorageWatch, answered: boolean): void => {
      if (answered) onAnswer(one);
      if (this.storages.every(({ isInStep }) => isInStep)) reports.inStep();
    };
    const each = (one: StorageWatch) =>
      one.run({ end: (answered) => onEnd(one, answered), progress: () => onAnswer(one) });
    await Promise.all(this.storages.map(each));
  }
}
