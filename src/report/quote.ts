/**
 * Characters that a terminal interprets or does not show: control characters, including 8-bit ones; Unicode's line
 * ends; format characters, which change the text direction or have no width (except the few that have a glyph); and
 * halves of surrogate pairs.
 */
const NOT_SHOWN =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Foreign text, with every character that would not be shown as itself escaped as in JSON. */
export function visible(text: string): string {
  return text.replace(NOT_SHOWN, (character) => character.split('').map(escaped).join(''));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A value as JSON, without characters that a terminal would interpret or hide. */
export function quote(value: unknown): string {
  return visible(JSON.stringify(value));
}

/** A path quoted as one word for a shell. */
export function forShell(path: string): string {
  return /^[\w./+:@%,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
