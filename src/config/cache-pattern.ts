/**
 * Patterns of a ZEO client's cache files. What matches is removed after a takeover with loss, by a shell that expands them: so they
 * have no character that a shell interprets, and reach no directory that many programs share.
 */

const FEWEST_LEVELS = 3;
const WILD = /[*?[]/;

export function isCachePattern(given: string): boolean {
  if (!/^\/[\w./*?[\]!^@+,:=%-]+$/.test(given)) return false;
  const levels = levelsOf(given);
  return (
    levels.length >= FEWEST_LEVELS &&
    levels.every((level) => level !== '' && !canBeDots(level)) &&
    !levels.slice(0, FEWEST_LEVELS - 1).some((level) => WILD.test(level))
  );
}

/** Whether removing what matches would remove this path: the path itself, or a directory that it is in. */
export function wouldRemove(pattern: string, path: string): boolean {
  const [wanted, levels] = [levelsOf(pattern), levelsOf(path)];
  return wanted.length <= levels.length && wanted.every((level, index) => matches(level, levels[index] ?? ''));
}

/** Whether the pattern matches anything in this directory. */
export function reachesInto(pattern: string, directory: string): boolean {
  const [wanted, levels] = [levelsOf(pattern), levelsOf(directory)];
  return wanted.length > levels.length && levels.every((level, index) => matches(wanted[index] ?? '', level));
}

function levelsOf(path: string): string[] {
  return path.slice(1).split('/');
}

/** `*` matches neither `.` nor `..` in a shell; `.*` does. */
function canBeDots(level: string): boolean {
  return level.startsWith('.') && ['.', '..'].some((dots) => matches(level, dots));
}

/** A set of characters counts as any character: it may only match too much. */
function matches(level: string, name: string): boolean {
  const wanted = level.match(/\[.[^\]]*\]|./gs) ?? [];
  let [at, star, starName] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    const piece = wanted[at];
    if (piece === '*') {
      [star, starName] = [at++, index];
    } else if (piece !== undefined && (piece === name[index] || piece === '?' || piece.length > 1)) {
      at++;
      index++;
    } else if (star >= 0) {
      // The last star takes one character more.
      at = star + 1;
      index = ++starName;
    } else return false;
  }
  return wanted.slice(at).every((piece) => piece === '*');
}
