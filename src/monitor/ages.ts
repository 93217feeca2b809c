import { milliseconds } from '../io/clock.js';

/** A clock that people set, and one that only goes forward; both in milliseconds. */
export interface Clock {
  /** Since the epoch. */
  now(): number;
  /** Since some fixed moment. */
  elapsed(): number;
}

export const SYSTEM_CLOCK: Clock = { now: () => Date.now(), elapsed: milliseconds };

interface Sighting {
  readonly moment: number;
  readonly elapsedThen: number;
  /** How old the moment was when it was seen first. Below 0: the clock was set back in between. */
  readonly ageThen: number;
}

/**
 * How long ago moments were that others recorded by the time of day.
 *
 * - An age is never less than the time since the moment was seen first, whatever was done to the clock.
 * - A moment that lay in the future when it was seen first has no age.
 *
 * So `observe` has to be called often: between the recording and the first sight, a clock set back goes unnoticed.
 */
export class Ages {
  private readonly sightings = new Map<string, Sighting>();

  constructor(private readonly clock: Clock) {}

  /** Notes the newest moment under this name. */
  observe(name: string, moment: number | undefined): void {
    if (moment === undefined) this.sightings.delete(name);
    else if (this.sightings.get(name)?.moment !== moment) {
      const ageThen = this.clock.now() - moment;
      this.sightings.set(name, { moment, elapsedThen: this.clock.elapsed(), ageThen });
    }
  }

  /** Seconds since this moment, the newest one under this name; undefined: not known. */
  of(name: string, moment: number | undefined): number | undefined {
    this.observe(name, moment);
    const sighting = this.sightings.get(name);
    if (!sighting || sighting.ageThen < 0) return undefined;
    const sinceSeen = this.clock.elapsed() - sighting.elapsedThen;
    return Math.max(this.clock.now() - sighting.moment, sighting.ageThen + sinceSeen) / 1000;
  }
}
