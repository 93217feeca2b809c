import { milliseconds } from '../io/clock.js';
import { isBeatenWhileOff, type SidesOfRound } from '../round/supersede.js';

/** After a partition, a side that was superseded takes commits that will be lost: it has to know soon. */
const INTERVAL_MS = 1000;

/** Compares the term of a side that serves with that of the other one, once a second at the most. */
export class TermCheck {
  private comparedAt = Number.NEGATIVE_INFINITY;

  /** Whether the other side has served in a higher term. The next round marks this one. */
  async isBeaten(sides: SidesOfRound): Promise<boolean> {
    if (milliseconds() - this.comparedAt < INTERVAL_MS) return false;
    const isBeaten = await isBeatenWhileOff(sides);
    this.comparedAt = milliseconds();
    return isBeaten;
  }
}
