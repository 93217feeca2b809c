/** Control characters, those of 8-bit terminals and Unicode's line ends among them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Text of others with every control character shown and not obeyed. */
export function visible(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as JSON, with no character in it that a terminal would obey. */
export function quote(value: unknown): string {
  return visible(JSON.stringify(value));
}
