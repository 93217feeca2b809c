const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** From so many of a unit on the next larger one is used. */
const MINUTES_FROM = 120;
const HOURS_FROM = 120 * MINUTE;
const DAYS_FROM = 48 * HOUR;
const EXACT_BELOW = 10;

/** A span of time for people: `7.4 s`, `95 s`, `12 min`, `5 h`, `3 d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < EXACT_BELOW) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < MINUTES_FROM) return `${Math.round(seconds)} s`;
  if (seconds < HOURS_FROM) return `${Math.round(seconds / MINUTE)} min`;
  return seconds < DAYS_FROM ? `${Math.round(seconds / HOUR)} h` : `${Math.round(seconds / DAY)} d`;
}

/** `1 transaction`, `2 transactions`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
