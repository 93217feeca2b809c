import { isAbsolute, resolve } from 'node:path';
import { parseDuration } from '../report/duration.js';
import { parseBytes } from '../report/size.js';
import type { ScrubAmount } from '../scrub/round.js';
import { isInterval, MOST_KEPT_PACKED } from './defaults.js';
import { parseListen } from './listen.js';
import { type Kind, text, words } from './schema.js';
import { isStorageName } from './storage-name.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is searched for.
const CONTROL = /[\u0000-\u001f\u007f]/;
const LONGEST_SECONDS = 86_400;

export const PATH = text('an absolute path of this machine, such as /srv/zeo/var', pathOf);

/** `.` and `..` are resolved. */
export function pathOf(given: string): string | undefined {
  return isAbsolute(given) && !CONTROL.test(given) ? resolve(given) : undefined;
}

export const NAME = text('a name: a letter, then letters, digits, "-" and "_", 63 at the most', (given) =>
  isStorageName(given) ? given : undefined,
);

export const FILE_NAME = text("a file's name without a directory", (given) =>
  given === '' || given === '.' || given === '..' || given.includes('/') || CONTROL.test(given) ? undefined : given,
);

export const DURATION = text('a duration of more than 0 and at most 1d, such as 500ms, 30s, 10min or 2h', (given) => {
  const seconds = parseDuration(given);
  return seconds !== undefined && seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : undefined;
});

export const INTERVAL = text('a duration from 100ms to 1h, such as 1s or 500ms', (given) => {
  const seconds = parseDuration(given);
  return isInterval(seconds) ? seconds : undefined;
});

export const SIZE = text(
  'a size such as 32MiB (B, KiB, MiB, GiB)',
  (given) => {
    const bytes = parseBytes(given);
    return bytes === undefined || bytes < 1 ? undefined : bytes;
  },
  true,
);

export const KEPT = text(
  `a whole number from 0 to ${MOST_KEPT_PACKED}`,
  (given) => (/^\d{1,9}$/.test(given) && Number(given) <= MOST_KEPT_PACKED ? Number(given) : undefined),
  true,
);

export const SCRUB: Kind<ScrubAmount> = text<ScrubAmount>(
  '0, full, or a size such as 16MiB (B, KiB, MiB, GiB)',
  (given) => (given === 'full' ? given : parseBytes(given)),
  true,
);

export const LISTEN = text('HOST:PORT, such as 127.0.0.1:9177 or "[::1]:9177"', parseListen);

export const WEB_ADDRESS = text('a URL that begins with http:// or https://', (given) => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  return url && /^https?:$/.test(url.protocol) && !CONTROL.test(given) ? given : undefined;
});

export function oneOf<T extends string>(...choices: readonly T[]): Kind<T> {
  return text(`${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`, (given) =>
    choices.find((choice) => choice === given),
  );
}

/** A command that is run without a shell. */
export const COMMAND = words(
  'a list: the absolute path of a program, and its arguments',
  (word, index) => !word.includes('\0') && (index > 0 || pathOf(word) !== undefined),
);
