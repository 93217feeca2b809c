import { type Raised, type RaisedTrouble, TROUBLE_EVENTS, type TroubleEvent } from '../standby/raised.js';

/**
 * Decides when a trouble is an event: once, as it begins, and once, as it ends; not with every run that has it.
 *
 * Invariants:
 * - A trouble is reported as it begins, with two exceptions: a fault, which the next run often overcomes, and what has been
 *   reported within the last hour already (the trouble comes and goes, or moves from place to place). Both have to last.
 * - What lasts is reported, whatever names it has had meanwhile.
 * - An end is reported only of trouble that was reported.
 * - A clock that was set back delays a report by the time that a trouble has to last, and repeats one at most.
 */
export interface Edge {
  /** What is to be remembered for the next run. */
  readonly raised: Raised;
  /** A trouble is to be reported, which began then. */
  readonly begun: number | undefined;
  /** The end of the trouble is to be reported, which began then. */
  readonly ended: number | undefined;
}

export type Present = Pick<RaisedTrouble, 'event' | 'place'>;

/** Shorter than a minute, so that the second of two runs of cron reports. */
export const LASTING_SECONDS = 50;
const REPEATED_SECONDS = 3600;

/**
 * `present`: the trouble of a run that ended at `now`; undefined: it ended in step. `from`: when this trouble may have begun,
 * where the runs before could not be remembered.
 */
export function edgeOf(before: Raised, now: number, present: Present | undefined, from = now): Edge {
  const recent = before.last.filter(({ time }) => time <= now && now - time < REPEATED_SECONDS * 1000);
  if (!present)
    return { raised: { trouble: undefined, open: undefined, last: recent }, begun: undefined, ended: before.open };
  const { trouble: last, open } = before;
  const same = last?.event === present.event && last.place === present.place ? last : undefined;
  if (same?.raised) return { raised: before, begun: undefined, ended: undefined };
  // Nothing was reported since the last run in step: the time of all that was waiting counts.
  const waiting = same ?? (open === undefined ? last : undefined);
  const since = Math.min(waiting && waiting.since <= now ? waiting.since : from, now);
  const isRepeated = recent.some(({ event }) => event === present.event);
  const isLasting = now - since >= LASTING_SECONDS * 1000;
  const raises = isLasting || (present.event !== 'fault' && !isRepeated);
  const trouble = { ...present, since, raised: raises };
  if (!raises) return { raised: { ...before, trouble }, begun: undefined, ended: undefined };
  return {
    raised: { trouble, open: open ?? since, last: withTime(before.last, present.event, now) },
    begun: since,
    ended: undefined,
  };
}

function withTime(last: Raised['last'], event: TroubleEvent, time: number): Raised['last'] {
  const all = [...last.filter((each) => each.event !== event), { event, time }];
  return TROUBLE_EVENTS.flatMap((name) => all.filter((each) => each.event === name));
}
