import type { StandingEvent } from './standing.js';

/**
 * The last event that reported wrong bytes of the slave, if no sync has ended in step since: neither a master that is out of
 * reach nor a disk that fails makes them good.
 *
 * @param inStep when a sync last ended in step, in milliseconds since the epoch; undefined: never
 */
export function damageOfSlave(
  events: readonly StandingEvent[],
  inStep: number | undefined,
): Pick<StandingEvent, 'time' | 'message'> | undefined {
  return events.findLast(
    ({ time, facts }) =>
      Date.parse(time) > (inStep ?? 0) && (facts['slaveToo'] === true || Number(facts['wrong'] ?? 0) > 0),
  );
}
