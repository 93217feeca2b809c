import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { TextDecoder } from 'node:util';
import { realPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { readSmallBytes } from '../io/replace.js';
import { ConfigurationMistake } from '../report/configuration-mistake.js';
import { DEFAULT_STATUS_FILE } from '../standby/switch.js';
import type { Configuration } from './configuration.js';

export const DEFAULT_CONFIGURATION = '/etc/syncpozo.yml';

/** A thousand storages take less. */
const MOST_BYTES = 256 << 10;

/** The status file of storages for which the configuration names none. */
function usualStatusFile(): string {
  return process.env['SYNCPOZO_STATUS'] || DEFAULT_STATUS_FILE;
}

/** Reads and checks a configuration file. Throws ConfigurationMistake with all its mistakes, or an IoFault. */
export function readConfiguration(given: string): Configuration {
  const path = resolve(given);
  const text = decode(bytesOf(path), path);
  // The YAML library is a bundle of its own: most runs are given paths, and need not load it.
  const { parseConfiguration } = createRequire(import.meta.url)(
    '#parse-configuration',
  ) as typeof import('./parse-configuration.js');
  const parsed = parseConfiguration(text, path, usualStatusFile());
  if ('configuration' in parsed) return parsed.configuration;
  if (parsed.mistakes.length > 0) throw new ConfigurationMistake(parsed.mistakes);
  throw mistake(
    path,
    'found nothing in it, expected storages',
    `write storages into ${path}; the sample scripts/syncpozo.yml shows them`,
  );
}

function bytesOf(path: string): Uint8Array {
  try {
    const real = realPath(path);
    const bytes = real === undefined ? undefined : readSmallBytes(real, MOST_BYTES);
    if (bytes) return bytes;
  } catch (error) {
    throw mistakeOf(error, path) ?? error;
  }
  throw mistake(path, 'found no file, expected a configuration', `write ${path}, or name another file with --config`);
}

function mistakeOf(error: unknown, path: string): ConfigurationMistake | undefined {
  if (!(error instanceof IoFault)) return undefined;
  switch (error.code) {
    case 'EISDIR':
      return mistake(path, `${error.detail}: expected YAML`, `name the file itself in the place of ${path}`);
    case 'EFBIG':
      return mistake(path, error.detail, `is ${path} a configuration? Name it with --config`);
    case 'EACCES':
    case 'EPERM':
      return mistake(path, `cannot be read: ${error.detail}`, `the user that runs syncpozo needs to read ${path}`);
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return mistake(path, `cannot be found: ${error.detail}`, `name a file in the place of ${path}`);
    default:
      return undefined;
  }
}

function mistake(path: string, what: string, hint: string): ConfigurationMistake {
  return new ConfigurationMistake([`${path}: ${what}`], hint);
}

const NEWLINE = 0x0a;

/** Text from bytes, which have to be UTF-8. */
function decode(bytes: Uint8Array, path: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    const line = lineOfBadBytes(bytes, decoder);
    throw new ConfigurationMistake([`${path}:${line}: found bytes that are not UTF-8, expected UTF-8`]);
  }
}

function lineOfBadBytes(bytes: Uint8Array, decoder: TextDecoder): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end;
  }
  return line;
}
