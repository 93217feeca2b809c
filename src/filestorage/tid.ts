/**
 * Transaction ids: ZODB TimeStamps (persistent/timestamp.py), 64 bits, UTC.
 * The high half is minutes, `((((year - 1900) * 12 + month - 1) * 31 + day - 1) * 24 + hour) * 60 + minute`;
 * the low half is `seconds * 2^32 / 60`.
 */
const SECOND_UNITS = 0x1_0000_0000 / 60;
const HIGH_HALF = 32n;
const LOW_MASK = 0xffff_ffffn;

export const ZERO_TID = 0n;

/** 16 hexadecimal digits, the form in which ZODB's tools and syncpozo print a tid. */
export function formatTid(tid: bigint): string {
  return tid.toString(16).padStart(16, '0');
}

/** Parses 16 hexadecimal digits, with an optional `0x` as ZODB's tools print it; undefined for anything else. */
export function parseTid(text: string): bigint | undefined {
  const digits = text.replace(/^0x/i, '');
  return /^[0-9a-f]{16}$/i.test(digits) ? BigInt(`0x${digits}`) : undefined;
}

/** The time of a tid, in milliseconds since the epoch; undefined when it encodes no valid date. */
export function tidToTime(tid: bigint): number | undefined {
  const seconds = Number(tid & LOW_MASK) / SECOND_UNITS;
  let rest = Number(tid >> HIGH_HALF);
  const take = (base: number): number => {
    const digit = rest % base;
    rest = Math.floor(rest / base);
    return digit;
  };
  const minute = take(60);
  const hour = take(24);
  const day = take(31) + 1;
  const month = take(12);
  const year = 1900 + rest;
  const time = Date.UTC(year, month, day, hour, minute) + seconds * 1000;
  return new Date(time).getUTCDate() === day ? time : undefined;
}

/** The tid for a time in milliseconds since the epoch, rounded down as `persistent.TimeStamp` does. */
export function timeToTid(milliseconds: number): bigint {
  const date = new Date(milliseconds);
  const months = (date.getUTCFullYear() - 1900) * 12 + date.getUTCMonth();
  const minutes = ((months * 31 + date.getUTCDate() - 1) * 24 + date.getUTCHours()) * 60 + date.getUTCMinutes();
  const seconds = date.getUTCSeconds() + (((milliseconds % 1000) + 1000) % 1000) / 1000;
  return (BigInt(minutes) << HIGH_HALF) | BigInt(Math.floor(seconds * SECOND_UNITS));
}

/** ISO 8601 in UTC with milliseconds; null for a tid without a valid time (zero, or damaged). */
export function tidToIso(tid: bigint): string | null {
  const time = tid === ZERO_TID ? undefined : tidToTime(tid);
  return time === undefined ? null : new Date(time).toISOString();
}
