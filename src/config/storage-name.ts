/** A word that nobody takes for a path or an option. */
const WORD = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

export function isStorageName(text: string): boolean {
  return WORD.test(text);
}
