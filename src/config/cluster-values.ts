import { isIPv4 } from 'node:net';
import { parseDuration } from '../report/duration.js';
import { isCachePattern } from './cache-pattern.js';
import { text, words } from './schema.js';

/**
 * Values of the cluster. Most of them are written into files of other programs, so they have no character that means anything
 * to a shell, a unit of systemd or the fields of a table.
 */

export const HOST_NAME = text('the name of a host as `uname -n` prints it, such as m1', (given) =>
  /^(?=.{1,63}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(given) && !isIPv4(given) ? given : undefined,
);

export const ADDRESS = text('an IPv4 address, such as 192.168.1.11', (given) => (isIPv4(given) ? given : undefined));

export const ADDRESS_IN_NETWORK = text(
  'an IPv4 address and the length of its network, such as 192.168.1.10/24',
  (given) => {
    const [address = '', length = '', more] = given.split('/');
    const isLength = /^[1-9]\d?$/.test(length) && Number(length) <= 32;
    return isIPv4(address) && isLength && more === undefined ? given : undefined;
  },
);

export const INTERFACE = text('the name of a network interface, such as eth0', (given) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(given) ? given : undefined,
);

const [SHORTEST_DEADTIME, LONGEST_DEADTIME] = [1, 300];
export const DEADTIME = text('a duration from 1s to 5min, such as 5s', (given) => {
  const seconds = parseDuration(given);
  return seconds !== undefined && seconds >= SHORTEST_DEADTIME && seconds <= LONGEST_DEADTIME ? seconds : undefined;
});

export const CONTROL = text(
  'the absolute path of zeoctl or zeoserver, of letters, digits and ". _ - + @", such as /srv/zeo/bin/zeoctl',
  (given) => (/^(?:\/(?!\.{1,2}(?:\/|$))[\w.+@-]+)+$/.test(given) ? given : undefined),
);

export const PORT = text(
  'a port from 1 to 65535',
  (given) => (/^[1-9]\d{0,4}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined),
  true,
);

export const USER = text('the name of a user, such as zope', (given) =>
  /^[a-z_][a-z0-9_-]{0,31}$/.test(given) ? given : undefined,
);

export const SERVICE = text('the name of a service of systemd, such as apache2', (given) =>
  /^[A-Za-z0-9][\w@.:-]{0,127}$/.test(given) ? given : undefined,
);

/** Of a person's own programs: found in PATH where it is no path. */
export const PROGRAM = words(
  'a list: a program and its arguments, such as [systemctl, restart, zope.service]',
  (word, index) => !word.includes('\0') && (index > 0 || word.trim() !== ''),
);

export const CACHES = words(
  'a list of absolute patterns of files to remove, three levels deep at least, the first two without * ? [, such as /srv/zope/var/*.zec',
  isCachePattern,
);
