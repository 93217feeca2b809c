import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scripts } from './shell.js';

/** The samples for systemd. */
export const UNITS = readdirSync(join(scripts, 'systemd')).sort();
/** Those that run syncpozo itself, as ZEO's user and under restrictions. */
export const SERVICES = UNITS.filter((name) => textOf(name).includes('\nSystemCallFilter='));

/** Why a test is not run where one of these programs is missing; false: all are there. */
export function missing(...names: string[]): string | false {
  const absent = names.filter((name) => spawnSync(name, ['--version']).status !== 0);
  return absent.length > 0 && `not run: there is no ${absent.join(', ')} here (Debian: apt-get install systemd strace)`;
}

export function textOf(unit: string): string {
  return readFileSync(join(scripts, 'systemd', unit), 'utf8');
}

/** The values of a setting in their order. */
export function valuesOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** The system calls that a unit permits: its filters in their order, and @default, which systemd adds. */
export function permitted(unit: string): ReadonlySet<string> {
  const membersOf = (name: string): string[] => {
    if (!name.startsWith('@')) return [name];
    const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', '--no-pager', name], { encoding: 'utf8' });
    const lines = stdout
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    return lines.filter((line) => line !== '' && !line.startsWith('#')).flatMap(membersOf);
  };
  const calls = new Set(membersOf('@default'));
  for (const filter of valuesOf(textOf(unit), 'SystemCallFilter')) {
    const names = filter.replace('~', '').split(' ').flatMap(membersOf);
    for (const name of names) {
      if (filter.startsWith('~')) calls.delete(name);
      else calls.add(name);
    }
  }
  return calls;
}
