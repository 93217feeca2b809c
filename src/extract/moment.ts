import { parseTid, tidToIso, timeToTid } from '../filestorage/tid.js';

/** From so many digits on, a fraction of a second is as a program has printed it: cut off, not exact. */
const DIGITS_OF_PROGRAMS = 3;
const LARGEST_TID = 2n ** 64n - 1n;
const MINUTE_UNITS = 2n ** 32n;

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
 *
 * A time with milliseconds, as `syncpozo log` prints it, is all of that millisecond: the transaction of that time belongs to
 * the state. So it is with microseconds, as Python prints them.
 */
export function parseMoment(text: string): Moment | undefined {
  const tid = parseTid(text);
  if (tid !== undefined) return { tid, time: tidToIso(tid) };
  const time = parseTime(text.trim());
  const until = time && timeToTid(time.minute) + unitsOf(time);
  if (!time || until === undefined || until > LARGEST_TID) return undefined;
  const milliseconds = time.second * 1000 + Math.floor(Number(`0.${time.fraction || 0}`) * 1000);
  return { tid: until, time: new Date(time.minute + milliseconds).toISOString() };
}

interface Time {
  /** Milliseconds since the epoch, of a whole minute. */
  readonly minute: number;
  readonly second: number;
  /** Digits. */
  readonly fraction: string;
}

/** The lower half of a tid. In whole numbers: a tid is finer than what is left of a floating-point number of milliseconds. */
function unitsOf({ second, fraction }: Time): bigint {
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(second) * scale + BigInt(fraction || 0);
  if (fraction.length < DIGITS_OF_PROGRAMS) return (scaled * MINUTE_UNITS) / (60n * scale);
  return ((scaled + 1n) * MINUTE_UNITS - 1n) / (60n * scale);
}

function parseTime(text: string): Time | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1, 6).map(Number);
  const rest = { second: Number(match[6] ?? 0), fraction: match[7] ?? '' };
  const zone = match[8]?.toUpperCase();
  if (year < FIRST_YEAR || hour > 23 || minute > 59 || rest.second > 59) return undefined;
  // The day exists in its month: a Date would go on into the next one.
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  if (zone === undefined) return { minute: new Date(year, month - 1, day, hour, minute).getTime(), ...rest };
  const offset = offsetOf(zone);
  if (offset === undefined) return undefined;
  return { minute: Date.UTC(year, month - 1, day, hour, minute - offset), ...rest };
}

/** In minutes. */
function offsetOf(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
