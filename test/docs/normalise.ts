/** What differs from run to run in the output of an example. Counts, limits, states, paths and zeros do not. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME'],
  [/\b[0-9a-f]{16}\b/g, 'TID'],
  [/\b[1-9]\d*(\.\d+)? (B|KiB|MiB|bytes)\b/g, 'SIZE'],
  [/\b\d+(\.\d+)? s (ago|before)\b/g, 'N s $2'],
  [/\b(in|about) \d+(\.\d+)? s\b/g, '$1 N s'],
  [/\bby \d+(\.\d+)? s\b/g, 'by N s'],
  [/\bage=\d+s/g, 'age=Ns'],
  [/\bseconds("?[=:])\d+(\.\d+)?/g, 'seconds$1N'],
  [/("pid":|process )\d+/g, '$1N'],
  // Positions: these files have some thousand bytes.
  [/\b\d{4}\b/g, 'N'],
];

export function normalise(output: string): string {
  return VARYING.reduce((text, [pattern, name]) => text.replace(pattern, name), output).trimEnd();
}
