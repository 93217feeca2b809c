/**
 * What a terminal obeys or does not show: control characters, those of 8-bit terminals among them; Unicode's line ends;
 * format characters, which turn the direction of what follows or take no room at all (but for the few that are drawn);
 * and halves of surrogate pairs.
 */
const NOT_SHOWN =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text of others with every character that would not be shown as itself written as JSON escapes. */
export function visible(text: string): string {
  return text.replace(NOT_SHOWN, (character) => character.split('').map(escaped).join(''));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A value as JSON, with no character in it that a terminal would obey or hide. */
export function quote(value: unknown): string {
  return visible(JSON.stringify(value));
}

/** A path as a shell takes it for one word. */
export function forShell(path: string): string {
  return /^[\w./+:@%,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
