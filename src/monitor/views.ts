import type { Ages, Clock } from './ages.js';
import type { View } from './judgement.js';
import type { Monitored, MonitoredStorage } from './monitored.js';
import type { StorageSnapshot } from './snapshot.js';

/** A watch that ends no round in so many intervals, and in so many seconds, has stopped. A watch in trouble backs off. */
const STALL_INTERVALS = 10;
const STALL_SECONDS = 300;

/** What the judgements need of each storage: its standing, what the watch has counted, and how old both are. */
export class Views {
  private readonly begun: number;

  constructor(
    private readonly monitored: Monitored,
    private readonly ages: Ages,
    private readonly clock: Clock,
  ) {
    this.begun = clock.elapsed();
  }

  /** To be called every second or so: see Ages. */
  observe(): void {
    for (const { name, figures } of this.monitored.storages) {
      this.ages.observe(stepOf(name), figures.inStepAsOf);
      this.ages.observe(endOf(name), figures.last?.endedAt);
    }
  }

  of({ storage, standing, unreadable }: StorageSnapshot): View {
    const { name, figures } = storage;
    return {
      standing,
      unreadable,
      figures,
      inStepAge: this.inStepAge(storage),
      endAge: this.ages.of(endOf(name), figures.last?.endedAt),
      upSeconds: (this.clock.elapsed() - this.begun) / 1000,
      stallSeconds: Math.max(STALL_SECONDS, STALL_INTERVALS * this.monitored.intervalSeconds),
    };
  }

  /** Seconds since the storage was in step, as far as that is proven. */
  inStepAge({ name, figures }: MonitoredStorage): number | undefined {
    return this.ages.of(stepOf(name), figures.inStepAsOf);
  }
}

function stepOf(name: string): string {
  return `step ${name}`;
}

function endOf(name: string): string {
  return `end ${name}`;
}
