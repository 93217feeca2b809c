import { milliseconds } from '../io/clock.js';
import { MountProbe } from '../io/mount.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';

/** Between two child processes that ask a mount. */
const PROBE_PAUSE_MS = 5000;
/** Between two records that a mount hangs: a trouble that lasts is an event after a while. */
const REPORT_PAUSE_MS = 10_000;
/** With more threads than this in reads that hang, the thread pool might not serve the other storages any more. */
const MOST_HANGING = 48;

/**
 * Keeps rounds away from a mount that hangs. Behind a read that was given up no further one is sent until that read has
 * returned, or a child process has had an answer from the mount. A clock that is set back changes nothing of that.
 */
export class MountGate {
  /** The deadlines whose reads may hang still. */
  private readonly given = new Set<ReadDeadline>();
  private closed:
    | {
        readonly since: number;
        readonly began: number;
        readonly probe: MountProbe;
        returned: boolean;
        askedAt: number;
        reportedAt: number;
      }
    | undefined;

  /** `clock` only goes forward, in milliseconds. */
  constructor(private readonly clock: () => number = milliseconds) {}

  /** Since when the mount has hung, in milliseconds since the epoch; undefined: it does not. */
  get hungSince(): number | undefined {
    return this.closed?.since;
  }

  /** Reads that were given up and still hang. */
  get hungReads(): number {
    return [...this.given].reduce((sum, { readsLeftBehind }) => sum + readsLeftBehind, 0);
  }

  /** A read at `path` was given up under this deadline, `deadline.seconds` after it began. */
  shut(path: string, deadline: ReadDeadline, now: number): void {
    for (const each of this.given) if (each.readsLeftBehind === 0) this.given.delete(each);
    this.given.add(deadline);
    this.closed?.probe.close();
    const hungMs = deadline.seconds * 1000;
    const { since, began } = this.closed ?? { since: now - hungMs, began: this.clock() - hungMs };
    const closed = {
      since,
      began,
      probe: new MountProbe(path),
      returned: false,
      askedAt: this.clock(),
      reportedAt: Number.NEGATIVE_INFINITY,
    };
    this.closed = closed;
    deadline.answered().then(() => {
      closed.returned = true;
    });
  }

  /** Whether a round may be begun. Returns how long the mount has hung when that ends, in seconds. */
  check(): { readonly open: boolean; readonly hungSeconds?: number } {
    const { closed } = this;
    if (!closed) return { open: true };
    if (!closed.returned) {
      const now = this.clock();
      if (now - closed.askedAt < PROBE_PAUSE_MS || ReadDeadline.hanging > MOST_HANGING) return { open: false };
      closed.askedAt = now;
      if (!closed.probe.hasAnswered()) return { open: false };
    }
    this.close();
    return { open: true, hungSeconds: (this.clock() - closed.began) / 1000 };
  }

  /** Since when the mount has hung, if that is to be recorded now; each answer counts as a record. */
  dueReport(): number | undefined {
    const { closed } = this;
    if (!closed || this.clock() - closed.reportedAt < REPORT_PAUSE_MS) return undefined;
    closed.reportedAt = this.clock();
    return closed.since;
  }

  close(): void {
    this.closed?.probe.close();
    this.closed = undefined;
  }
}
