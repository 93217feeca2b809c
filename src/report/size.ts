const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const STEP = 1024;

/** Bytes for people: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Bytes from `32MiB`, `64 KiB`, `1GiB`, `100B` or `100`; undefined for anything else or more than 2^53. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+) ?(B|KiB|MiB|GiB)?$/.exec(text.trim());
  if (!match) return undefined;
  const bytes = Number(match[1]) * STEP ** UNITS.indexOf(match[2] ?? 'B');
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
