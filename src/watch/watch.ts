import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import { runSync } from '../round/run-sync.js';
import { runTogether } from '../round/together.js';
import { StorageWatch } from './storage-watch.js';
import { type RunRounds, Turns } from './turns.js';
import type { WatchedStorage } from './watched-storage.js';

/** What the watch reports of all storages. Each call returns at once. */
export interface Reports {
  /** Every storage has ended a check or a round since the last call, or got on with one: no mount hangs. */
  alive(): void;
  /** As alive, and a check or a round has just ended that left every storage in step. */
  inStep(): void;
}

export interface WatchSettings {
  readonly intervalMs: number;
  readonly log: Log;
  /** Ends the watch. */
  readonly stop: AbortSignal;
  /** A round has ended. */
  readonly onResult: (name: string, result: SyncResult) => void;
}

/** Between two reports that no mount hangs: a long copy answers a thousand times a second. */
const REPORT_MS = 500;

/** Watches storages, each group of them with its rounds of its own, until the signal. */
export class Watch {
  readonly storages: readonly StorageWatch[];
  private readonly turns: readonly Turns[];
  private readonly answered = new Set<string>();
  private aliveAt = Number.NEGATIVE_INFINITY;
  private reports: Reports | undefined;

  constructor(storages: readonly WatchedStorage[], settings: WatchSettings) {
    const { intervalMs, log, stop, onResult } = settings;
    this.storages = storages.map((storage) => {
      const { name } = storage;
      const note = (result: SyncResult): void => onResult(name, result);
      return new StorageWatch(storage, log, stop, note, () => this.onAnswer(name));
    });
    this.turns = groupsOf(this.storages).map((each) => new Turns(each, intervalMs, roundsOf(each, log), stop));
  }

  /** One line about every storage, for `systemctl status`. */
  get summary(): string {
    return this.storages.map((one) => `${one.storage.name}: ${one.summary}`).join('; ');
  }

  /** Resolves when the signal has ended every round. */
  async run(reports: Reports): Promise<void> {
    this.reports = reports;
    const onEnd = (one: StorageWatch, answered: boolean): void => {
      if (answered) this.onAnswer(one.storage.name);
      if (this.storages.every(({ isInStep }) => isInStep)) reports.inStep();
    };
    await Promise.all(this.turns.map((each) => each.run(onEnd)));
  }

  private onAnswer(name: string): void {
    this.answered.add(name);
    if (this.answered.size < this.storages.length || milliseconds() - this.aliveAt < REPORT_MS) return;
    this.aliveAt = milliseconds();
    this.answered.clear();
    this.reports?.alive();
  }
}

/** The storages by their groups; each of the others is one of its own. */
function groupsOf(storages: readonly StorageWatch[]): StorageWatch[][] {
  const groups = new Map<string | StorageWatch, StorageWatch[]>();
  for (const each of storages) {
    const key = each.storage.group ?? each;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

/** A storage without a group has plain rounds. */
function roundsOf(storages: readonly StorageWatch[], log: Log): RunRounds {
  const isGroup = storages.some(({ storage }) => storage.group !== undefined);
  if (isGroup) return async (rounds) => (await runTogether(rounds, log)).results;
  return (rounds) => Promise.all(rounds.map(runSync));
}
