import { type Check, judge, type Limits } from './judgement.js';
import type { Monitored } from './monitored.js';
import type { Snapshot } from './snapshot.js';
import type { Views } from './views.js';

/** A question with its parameters. */
export interface Question {
  readonly check: Check;
  /** The only storage that is asked about; undefined: all of them. */
  readonly storage: string | undefined;
  readonly limits: Limits;
}

/** `slave` without `?lag=`. */
export const DEFAULT_LIMITS: Limits = { lagSeconds: 60, maxAgeSeconds: undefined };

/** The parameter of a check that takes one besides `storage`. */
const PARAMETERS: Readonly<Partial<Record<Check, string>>> = { slave: 'lag', promotable: 'max-age' };

/** The question of a request, or what is wrong with it: a parameter that is ignored would make an answer a lie. */
export function parseQuestion(check: Check, query: URLSearchParams): Question | { readonly mistake: string } {
  const own = PARAMETERS[check];
  const known = ['storage', ...(own === undefined ? [] : [own])];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) return { mistake: `unknown parameter, expected ${known.join(' or ')}` };
    if (query.getAll(name).length > 1) return { mistake: `${name} is there twice` };
  }
  const given = own === undefined ? null : query.get(own);
  if (given !== null && !/^\d{1,9}(\.\d{1,3})?$/.test(given)) return { mistake: `${own} is not a number of seconds` };
  const limits = { ...DEFAULT_LIMITS };
  if (given !== null && check === 'slave') limits.lagSeconds = Number(given);
  else if (given !== null) limits.maxAgeSeconds = Number(given);
  return { check, storage: query.get('storage') ?? undefined, limits };
}

/** The body of every health check; undefined: there is no such storage. */
export function healthOf(question: Question, monitored: Monitored, snapshot: Snapshot, views: Views) {
  const asked = snapshot.storages.filter(
    ({ storage }) => question.storage === undefined || storage.name === question.storage,
  );
  if (asked.length === 0) return undefined;
  const storages = asked.map((each) => {
    const { standing, unreadable, storage } = each;
    const view = views.of(each);
    const { inStepAsOf } = storage.figures;
    const health = {
      ...judge(question.check, view, question.limits),
      role: standing?.role ?? null,
      state: standing?.state ?? null,
      term: standing?.term ?? null,
      inStepAsOf: isoOf(inStepAsOf),
      inStepAgeSeconds: rounded(view.inStepAge),
      since: standing?.since ?? null,
      reason: standing ? standing.stateReason : (unreadable ?? null),
    };
    return [storage.name, health] as const;
  });
  return {
    check: question.check,
    ok: storages.every(([, { ok }]) => ok),
    time: new Date(snapshot.takenAt).toISOString(),
    version: monitored.version,
    host: monitored.host,
    storages: Object.fromEntries(storages),
  };
}

/** A time in milliseconds since the epoch as JSON has it. */
export function isoOf(moment: number | undefined): string | null {
  return moment === undefined ? null : new Date(moment).toISOString();
}

/** Seconds with three decimal places. */
export function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000) / 1000;
}
