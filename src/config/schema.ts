import { type Mistakes, shown } from './mistakes.js';
import { nearest } from './nearest.js';
import type { Found } from './yaml-tree.js';

/** What a value has to be. `read` returns undefined for a value that is wrong, and adds the mistake. */
export interface Kind<T> {
  /** In words, behind "expected". */
  readonly expected: string;
  read(found: Found, where: string, mistakes: Mistakes): T | undefined;
  /** Its own keys; `*` stands for a name that the file chooses. */
  readonly keys?: Keys;
}

export interface Key<T> {
  readonly kind: Kind<T>;
  readonly required: boolean;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;

/** undefined: the key is not there. */
export type ValuesOf<K extends Keys> = {
  readonly [Name in keyof K]: K[Name] extends { readonly kind: Kind<infer T>; readonly required: infer R }
    ? R extends true
      ? T
      : T | undefined
    : never;
};

export function required<T>(kind: Kind<T>): { readonly kind: Kind<T>; readonly required: true } {
  return { kind, required: true };
}

export function optional<T>(kind: Kind<T>): { readonly kind: Kind<T>; readonly required: false } {
  return { kind, required: false };
}

/** A text that `parse` understands; it returns undefined for any other. `numbers`: `5` is one as well. */
export function text<T>(expected: string, parse: (text: string) => T | undefined, numbers = false): Kind<T> {
  return {
    expected,
    read(found, where, mistakes) {
      const isNumber = numbers && found.kind === 'scalar' && typeof found.value === 'number';
      const given = found.kind !== 'scalar' ? undefined : isNumber ? found.source : found.value;
      const value = typeof given === 'string' ? parse(given) : undefined;
      if (value === undefined) refuse(found, where, mistakes, expected);
      return value;
    },
  };
}

export const BOOLEAN: Kind<boolean> = {
  expected: 'true or false',
  read(found, where, mistakes) {
    if (found.kind === 'scalar' && typeof found.value === 'boolean') return found.value;
    refuse(found, where, mistakes, BOOLEAN.expected);
    return undefined;
  },
};

/** These keys and no others. */
export function mapping<K extends Keys>(expected: string, keys: K): Kind<ValuesOf<K>> {
  const names = Object.keys(keys);
  return {
    expected,
    keys,
    read(found, where, mistakes) {
      if (found.kind !== 'mapping') {
        refuse(found, where, mistakes, expected);
        return undefined;
      }
      const values: Record<string, unknown> = {};
      const meant = new Set<string>();
      let complete = true;
      for (const { key, line, value } of found.entries) {
        const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
        if (known) {
          values[key] = known.kind.read(value, pathOf(where, key), mistakes);
          complete &&= values[key] !== undefined;
          continue;
        }
        complete = false;
        const near = nearest(key, names);
        if (near !== undefined) meant.add(near);
        const instead = near === undefined ? `one of ${names.join(', ')}` : `${near}, perhaps`;
        mistakes.add(line, where, `the unknown key ${shown(key)}`, instead);
      }
      for (const name of names) {
        if (!keys[name]?.required || meant.has(name) || found.entries.some(({ key }) => key === name)) continue;
        complete = false;
        mistakes.add(found.line, where, `no key ${name}`, `it: ${keys[name].kind.expected}`);
      }
      return complete ? (values as ValuesOf<K>) : undefined;
    },
  };
}

/** Values of one kind by names that the file chooses; at least one. Returns those that are right. */
export function named<T>(
  expected: string,
  name: Kind<string>,
  kind: Kind<T>,
): Kind<readonly { readonly name: string; readonly line: number; readonly value: T }[]> {
  return {
    expected,
    keys: { '*': required(kind) },
    read(found, where, mistakes) {
      if (found.kind !== 'mapping' || found.entries.length === 0) {
        refuse(found, where, mistakes, expected);
        return undefined;
      }
      return found.entries.flatMap(({ key, line, value: each }) => {
        const isName = name.read({ kind: 'scalar', line, value: key, source: key }, where, mistakes) !== undefined;
        // A value of the wrong kind stands on the line of its name, where a reader looks for it.
        const value = kind.read(each.kind === 'mapping' ? { ...each, line } : each, pathOf(where, key), mistakes);
        return isName && value !== undefined ? [{ name: key, line, value }] : [];
      });
    },
  };
}

/** A list of texts, not empty; `check` returns what is expected instead of the one at an index. */
export function words(expected: string, check: (word: string, index: number) => boolean): Kind<readonly string[]> {
  return {
    expected,
    read(found, where, mistakes) {
      const items = found.kind === 'list' ? found.items : [];
      const all = items.map((item) =>
        item.kind === 'scalar' && typeof item.value === 'string' ? item.value : undefined,
      );
      const wrong = all.findIndex((word, index) => word === undefined || !check(word, index));
      if (items.length > 0 && wrong < 0) return all.flatMap((word) => word ?? []);
      const at = items[wrong] ?? found;
      refuse(at, where, mistakes, expected);
      return undefined;
    },
  };
}

function pathOf(where: string, key: string): string {
  return where === '' ? key : `${where}.${key}`;
}

/** Adds that a value is not what it has to be. Of an alias that has been added already. */
function refuse(found: Found, where: string, mistakes: Mistakes, expected: string): void {
  if (found.kind !== 'alias') mistakes.add(found.line, where, describe(found), expected);
}

/** A value in words, behind "found". */
function describe(found: Exclude<Found, { readonly kind: 'alias' }>): string {
  if (found.kind === 'list') return 'a list';
  if (found.kind === 'mapping') return 'keys with values';
  const { value, source } = found;
  if (value === null) return 'nothing';
  return typeof value === 'string' ? shown(value) : `the ${typeof value} ${source.slice(0, 40)}`;
}
