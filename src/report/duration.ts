const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 };
const FORM = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|min|h|d)$/;

/** Seconds of a duration such as 500ms, 1s, 5min, 2h or 1d; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = FORM.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? Number.NaN);
}
