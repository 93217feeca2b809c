import type { Log } from '../report/log.js';
import { formatSeconds } from '../report/numbers.js';
import type { Standing } from '../report/standing.js';
import type { Clock } from './ages.js';
import type { Monitored, MonitoredStorage } from './monitored.js';

/** What the slaves' files said at one moment. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  readonly storages: readonly StorageSnapshot[];
}

export interface StorageSnapshot {
  readonly storage: MonitoredStorage;
  /** undefined: not known, and `unreadable` has the reason. */
  readonly standing: Standing | undefined;
  readonly unreadable: string | undefined;
}

/** How long a snapshot answers requests. */
const FRESH_MS = 1000;
/** A slave's disk may hang as a master's mount may. */
const DEADLINE_MS = 5000;

/** Of a storage. `late`: it has outlived the deadline. */
interface Reading {
  readonly result: Promise<StorageSnapshot>;
  late: boolean;
}

/**
 * Reads the standings of all storages for whoever asks.
 *
 * - At most one reading of a storage runs at a time. One that hangs is not repeated, delays one snapshot only, and its result, which
 *   may be of long ago, is never used.
 * - A snapshot is at most a second old when it is handed out, plus the time that taking it needs.
 */
export class Snapshots {
  private last: { readonly snapshot: Snapshot; readonly elapsed: number } | undefined;
  private running: Promise<Snapshot> | undefined;
  /** Those that have not ended. */
  private readonly readings = new Map<MonitoredStorage, Reading>();
  private readonly reported = new Map<string, string>();

  constructor(
    private readonly monitored: Monitored,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  current(): Promise<Snapshot> {
    if (this.last && this.clock.elapsed() - this.last.elapsed < FRESH_MS) return Promise.resolve(this.last.snapshot);
    this.running ??= this.take().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async take(): Promise<Snapshot> {
    const storages = await Promise.all(this.monitored.storages.map((storage) => this.readInTime(storage)));
    for (const storage of storages) this.report(storage);
    const snapshot = { takenAt: this.clock.now(), storages };
    this.last = { snapshot, elapsed: this.clock.elapsed() };
    return snapshot;
  }

  private async readInTime(storage: MonitoredStorage): Promise<StorageSnapshot> {
    const unreadable = `the files of the slave have not answered for ${formatSeconds(this.deadlineMs / 1000)}`;
    const hanging = { storage, standing: undefined, unreadable };
    const reading = this.readings.get(storage) ?? this.begin(storage);
    if (reading.late) return hanging;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<StorageSnapshot>((resolve) => {
      timer = setTimeout(() => {
        reading.late = true;
        resolve(hanging);
      }, this.deadlineMs);
    });
    const result = await Promise.race([reading.result, deadline]);
    clearTimeout(timer);
    return result;
  }

  private begin(storage: MonitoredStorage): Reading {
    const reading = { result: read(storage), late: false };
    this.readings.set(storage, reading);
    void reading.result.then(() => this.readings.delete(storage));
    return reading;
  }

  /** Logs each change once: a monitor asks every few seconds. */
  private report({ storage: { name }, unreadable }: StorageSnapshot): void {
    if (this.reported.get(name) === unreadable) return;
    if (unreadable === undefined) {
      this.reported.delete(name);
      this.log.info({ storage: name }, 'the state of the slave can be read again');
    } else {
      this.reported.set(name, unreadable);
      this.log.warn({ storage: name }, `the state of the slave cannot be read: ${unreadable}`);
    }
  }
}

async function read(storage: MonitoredStorage): Promise<StorageSnapshot> {
  try {
    return { storage, standing: await storage.standing(), unreadable: undefined };
  } catch (error) {
    return { storage, standing: undefined, unreadable: error instanceof Error ? error.message : String(error) };
  }
}
