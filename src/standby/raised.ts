/** The events that begin with a trouble; see src/events. */
export const TROUBLE_EVENTS = ['refusal', 'fork', 'damage', 'fault', 'blob-missing'] as const;
export type TroubleEvent = (typeof TROUBLE_EVENTS)[number];

/**
 * What was reported as an event of the runs so far, so that each trouble is reported once and not by every run. Lines of
 * `Data.fs.outcome`, all of which may be missing:
 *
 * ```
 * event NAME TIME waiting|raised PLACE     the trouble of the last run, and since when it has been this one
 * open TIME                                since when there has been trouble that was reported and is not over
 * raised NAME TIME                         when an event of this name was last reported
 * ```
 */
export interface Raised {
  readonly trouble: RaisedTrouble | undefined;
  /** All times are milliseconds since the epoch. */
  readonly open: number | undefined;
  /** At most one of each name, in the order of TROUBLE_EVENTS. */
  readonly last: readonly RaisedLast[];
}

export interface RaisedTrouble {
  readonly event: TroubleEvent;
  /** Where or what it is, as one word: the same trouble at another place is a new one. */
  readonly place: string;
  readonly since: number;
  readonly raised: boolean;
}

export interface RaisedLast {
  readonly event: TroubleEvent;
  readonly time: number;
}

export const NOTHING_RAISED: Raised = { trouble: undefined, open: undefined, last: [] };

const NAME = TROUBLE_EVENTS.join('|');
const TROUBLE = new RegExp(`^event (${NAME}) (\\S+) (waiting|raised) ([a-z0-9-]{1,100})$`);
const OPEN = /^open (\S+)$/;
const LAST = new RegExp(`^raised (${NAME}) (\\S+)$`);

export function formatRaised({ trouble, open, last }: Raised): readonly string[] {
  const iso = (time: number): string => new Date(time).toISOString();
  return [
    ...(trouble
      ? [`event ${trouble.event} ${iso(trouble.since)} ${trouble.raised ? 'raised' : 'waiting'} ${trouble.place}`]
      : []),
    ...(open === undefined ? [] : [`open ${iso(open)}`]),
    ...last.map(({ event, time }) => `raised ${event} ${iso(time)}`),
  ];
}

/** The opposite of formatRaised. Whoever calls it compares what that makes of the result with the text. */
export function parseRaised(lines: readonly string[]): Raised {
  const [, name, since = '', state, place = ''] = first(lines, TROUBLE);
  const [, open] = first(lines, OPEN);
  const event = TROUBLE_EVENTS.find((each) => each === name);
  const times = new Map(lines.map((line) => LAST.exec(line)).map((match) => [match?.[1], match?.[2] ?? '']));
  return {
    trouble: event && { event, place, since: Date.parse(since), raised: state === 'raised' },
    open: open === undefined ? undefined : Date.parse(open),
    last: TROUBLE_EVENTS.flatMap((each) => {
      const time = times.get(each);
      return time === undefined ? [] : [{ event: each, time: Date.parse(time) }];
    }),
  };
}

/** All times in it. */
export function timesOf({ trouble, open, last }: Raised): readonly number[] {
  return [trouble?.since ?? 0, open ?? 0, ...last.map(({ time }) => time)];
}

function first(lines: readonly string[], form: RegExp): readonly (string | undefined)[] {
  return lines.map((line) => form.exec(line)).find((match) => match !== null) ?? [];
}
