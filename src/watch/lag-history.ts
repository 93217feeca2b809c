import type { LagPoint } from '../monitor/monitored.js';

const MINUTE_MS = 60_000;
/** Six hours. */
const MOST_POINTS = 360;

/** The largest lag of each minute, for the last hours. */
export class LagHistory {
  private readonly kept: LagPoint[] = [];

  get points(): readonly LagPoint[] {
    return this.kept;
  }

  /** `seconds`: the lag that was found at `now`; null: not known. */
  add(now: number, seconds: number | null): void {
    const time = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    const last = this.kept.at(-1);
    if (last?.time === time) {
      // A minute in which one check succeeded has a lag: the largest one that was found.
      const larger = last.seconds === null || (seconds !== null && seconds > last.seconds) ? seconds : last.seconds;
      this.kept[this.kept.length - 1] = { time, seconds: larger };
      return;
    }
    this.kept.push({ time, seconds });
    if (this.kept.length > MOST_POINTS) this.kept.shift();
  }
}
