import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { everyKey } from '../../src/config/file-schema.js';
import { parseConfiguration } from '../../src/config/parse-configuration.js';
import { runs } from '../hostile/settings.js';

const PATH = '/etc/syncpozo.yml';
const LINE = /^\/etc\/syncpozo\.yml(:\d+: (\S+: )?found .+, expected .+|: \d+ more mistakes)$/;

/** Whatever the text is: a configuration, or mistakes with their lines, and never an error. */
function assertReads(text: string): void {
  const parsed = parseConfiguration(text, PATH, '/usual');
  if ('configuration' in parsed) {
    assert.ok(parsed.configuration.storages.length > 0);
    return;
  }
  const last = text.split('\n').length;
  for (const line of parsed.mistakes) {
    assert.match(line, LINE);
    const number = Number(/^[^:]+:(\d+):/.exec(line)?.[1] ?? 1);
    assert.ok(number >= 1 && number <= last, line);
  }
}

const KEYS = [...new Set(everyKey().flatMap((key) => key.split('.')))].map((key) => (key === '*' ? 'main' : key));
const SCALARS = [
  '/srv/Data.fs',
  '/mnt',
  'relative',
  '1s',
  '16MiB',
  'full',
  'true',
  '127.0.0.1:9177',
  '~',
  '0',
  '-1',
  '.inf',
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...SCALARS),
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.boolean(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('any'), { maxKeys: 6 }),
  ),
})).any;

/** Pieces of YAML in any order. */
const PIECES = [
  ...KEYS.map((key) => `${key}:`),
  ...SCALARS,
  '\n',
  '\n  ',
  '\n    ',
  '\t',
  '- ',
  '? ',
  '{',
  '}',
  '[',
  ']',
  ',',
];
const MORE = [
  '&a ',
  '*a',
  '!x ',
  '!!str ',
  '|',
  '>',
  '"',
  "'",
  '#',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '<<: ',
  '\u0000',
  '\ud800',
  ': ',
];
const pieces = fc.array(fc.constantFrom(...PIECES, ...MORE), { maxLength: 60 }).map((all) => all.join(''));

describe('random text never ends in an error', () => {
  const settings = runs(500);

  it('values by the keys of a configuration', () => {
    fc.assert(
      fc.property(value, (any) => assertReads(stringify(any))),
      settings,
    );
  });

  it('pieces of YAML', () => {
    fc.assert(fc.property(pieces, assertReads), settings);
  });

  it('any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), assertReads), settings);
  });

  it('as large as a file may be, of one character or pair', () => {
    for (const piece of [
      '[',
      '{a: ',
      '- ',
      '? ',
      'a: ',
      '&a ',
      '!',
      '\\',
      '"',
      '\n',
      '---\n',
      ']',
      'a: *x\n',
      '- - -\n',
      'a: 1\n',
    ])
      assertReads(piece.repeat(Math.floor((256 << 10) / piece.length)));
  });
});
