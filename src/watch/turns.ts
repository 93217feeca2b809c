import { milliseconds } from '../io/clock.js';
import type { SyncResult } from '../round/result.js';
import type { SyncOptions } from '../round/run-sync.js';
import { Pace } from './pace.js';
import type { StorageWatch } from './storage-watch.js';
import { Wake } from './wake.js';

/** Runs the rounds of storages, each with its options, at once. */
export type RunRounds = (rounds: readonly SyncOptions[]) => Promise<readonly SyncResult[]>;

/** Between two checks that changes of the master's directory bring forward, as a part of the interval. */
const LEAST_PART = 4;

/**
 * Checks and rounds, one after the other, of one storage, or of a group that is brought to one moment.
 *
 * A group has a round if one of its storages needs one, and none while the mount of one of its masters hangs.
 */
export class Turns {
  private readonly pace: Pace;
  private readonly wake = new Wake();

  constructor(
    private readonly storages: readonly StorageWatch[],
    intervalMs: number,
    private readonly runRounds: RunRounds,
    private readonly stop: AbortSignal,
  ) {
    this.pace = new Pace(intervalMs);
  }

  /** Until the signal. `onEnd`: a check or round of a storage has ended, with an answer of the master or without. */
  async run(onEnd: (storage: StorageWatch, answered: boolean) => void): Promise<void> {
    while (!this.stop.aborted) {
      const began = milliseconds();
      const answered = await this.turn();
      if (this.stop.aborted) break;
      for (const [index, storage] of this.storages.entries()) onEnd(storage, answered[index] === true);
      await this.untilDue(began);
    }
    this.wake.close();
    await Promise.all(this.storages.map((storage) => storage.close()));
  }

  /** Which of the masters have answered. */
  private async turn(): Promise<readonly boolean[]> {
    const now = Date.now();
    const prepared = await Promise.all(this.storages.map((storage) => storage.prepare(now)));
    if (this.stop.aborted || prepared.includes('hung') || !prepared.includes('due'))
      return prepared.map((state) => state !== 'hung');
    const began = milliseconds();
    const results = await this.runRounds(this.storages.map((storage) => storage.begin(now)));
    const seconds = (milliseconds() - began) / 1000;
    if (this.stop.aborted) return [];
    const failed = results.some(({ action }) => action === 'failed' || action === 'refused');
    if (failed) this.pace.failed();
    else this.pace.succeeded();
    const answered = this.storages.map((storage, index) => {
      const result = results[index];
      if (!result) throw new Error(`the round of ${storage.storage.name} has no result`);
      return storage.end(result, now, seconds);
    });
    this.wake.follow(this.storages.flatMap(({ masterDirectory }) => masterDirectory ?? []));
    return answered;
  }

  /** After failures a pause is long; a change on this side, by a person or another program, ends it. */
  private async untilDue(began: number): Promise<void> {
    const { intervalMs, isFailing } = this.pace;
    const dueAt = began + this.pace.pauseMs();
    const mark = (): string => this.storages.map(({ ownMark }) => ownMark).join(';');
    const before = isFailing ? mark() : '';
    for (let left = dueAt - milliseconds(); left > 0 && !this.stop.aborted; left = dueAt - milliseconds()) {
      await this.wake.wait(Math.min(left, intervalMs), intervalMs / LEAST_PART, this.stop);
      if (!isFailing || mark() !== before) return;
    }
  }
}
