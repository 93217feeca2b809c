/** The longest pause after failures. */
const LONGEST_MS = 15_000;
/** A pause after a failure is up to this part shorter, so that several watches do not ask a host in step. */
const JITTER = 0.25;

/** When the next round of a storage is due: by the interval, or, after failures, later and later. */
export class Pace {
  private failures = 0;

  constructor(
    readonly intervalMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  succeeded(): void {
    this.failures = 0;
  }

  failed(): void {
    this.failures++;
  }

  get isFailing(): boolean {
    return this.failures > 0;
  }

  /** Milliseconds from the beginning of one check or round to the next. */
  pauseMs(): number {
    if (this.failures === 0) return this.intervalMs;
    const longest = Math.max(LONGEST_MS, this.intervalMs);
    // Beyond 2^20 the longest pause is reached for any interval.
    const pause = Math.min(longest, this.intervalMs * 2 ** Math.min(this.failures, 20));
    return Math.max(this.intervalMs, pause * (1 - JITTER * this.random()));
  }
}
