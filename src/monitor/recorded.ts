import { damageOfSlave } from '../report/slave-damage.js';
import type { Standing } from '../report/standing.js';
import type { View } from './judgement.js';

/**
 * What the files beside a slave say by themselves, as the view of somebody who runs no rounds: for the checks that are about the slave
 * and not about a watch.
 *
 * @param now milliseconds since the epoch
 */
export function recordedView(standing: Standing, now: number): View {
  const { lastOutcome, lastSync } = standing;
  const time = lastOutcome ? Date.parse(lastOutcome.time) : 0;
  return {
    standing,
    unreadable: undefined,
    figures: {
      last: lastOutcome ? { ...lastOutcome, beganAt: time, endedAt: time, hint: null } : undefined,
      damagedSlave: damageOfSlave(standing.events, lastSync === null ? undefined : Date.parse(lastSync))?.message,
      runningSince: undefined,
      hungSince: undefined,
    },
    inStepAge: lastSync === null ? undefined : ageOf(Date.parse(lastSync), now),
    endAge: lastOutcome ? ageOf(time, now) : undefined,
    upSeconds: 0,
    stallSeconds: 0,
  };
}

/** A moment in the future has no age: the clock was set back. */
function ageOf(moment: number, now: number): number | undefined {
  return moment > now ? undefined : (now - moment) / 1000;
}
