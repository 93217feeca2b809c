const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 };

/** Seconds from `500ms`, `1.5s`, `10 min`, `2h` or `7d`; undefined for anything else. A number without a unit is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|min|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  return Number((Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 0)).toFixed(6));
}
