import { parseTid, tidToIso, timeToTid } from '../filestorage/tid.js';

/** A moment in the life of a site: the state behind the last transaction that is not newer than `tid`. */
export interface Moment {
  readonly tid: bigint;
  /** ISO 8601 in UTC, with milliseconds; null for a tid that is no time. */
  readonly time: string | null;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;
/** Years that a tid can hold and that somebody may mean. */
const FIRST_YEAR = 1970;

/**
 * A tid of 16 hexadecimal digits, or a time in ISO 8601: `2026-11-28T14:02`, with seconds and a fraction of them, and with a
 * zone (`Z`, `+01:00`); without one it is the local time of this machine. undefined for anything else.
 */
export function parseMoment(text: string): Moment | undefined {
  const tid = parseTid(text);
  if (tid !== undefined) return { tid, time: tidToIso(tid) };
  const milliseconds = parseTime(text.trim());
  if (milliseconds === undefined) return undefined;
  return { tid: timeToTid(milliseconds), time: new Date(milliseconds).toISOString() };
}

function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1, 6).map(Number);
  const second = Number(match[6] ?? 0);
  const zone = match[8]?.toUpperCase();
  if (year < FIRST_YEAR || hour > 23 || minute > 59 || second > 59) return undefined;
  // The day exists in its month: a Date would go on into the next one.
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const fraction = Number(`0.${match[7] ?? 0}`) * 1000;
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second).getTime() + fraction;
  const offset = offsetOf(zone);
  if (offset === undefined) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute - offset, second) + fraction;
}

/** In minutes. */
function offsetOf(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
