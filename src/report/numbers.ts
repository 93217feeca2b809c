/** Below this number of seconds, tenths are printed. */
const WHOLE_FROM = 1000;

/** Seconds for people: `12 s`, `7.4 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 0.05) return 'less than 0.1 s';
  return `${seconds < WHOLE_FROM ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
}

/** How far a slave is behind; null: not known. */
export function renderLag(lag: {
  readonly seconds: number | null;
  readonly transactions: number | null;
  readonly bytes: number | null;
}): string {
  const time = lag.seconds === null ? '? s' : formatSeconds(lag.seconds);
  return `${time}, ${formatCount(lag.transactions ?? '?', 'transaction')}, ${formatCount(lag.bytes ?? '?', 'byte')}`;
}

/** A count with its noun: `1 transaction`, `2 transactions`. */
export function formatCount(count: number | '?', noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
