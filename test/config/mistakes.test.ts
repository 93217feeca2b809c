import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../src/config/parse-configuration.js';

const PATH = '/etc/syncpozo.yml';

function mistakesOf(text: string): readonly string[] {
  const parsed = parseConfiguration(text, PATH, '/var/run/syncPozo.status');
  return 'mistakes' in parsed ? parsed.mistakes : ['no mistake'];
}

/** Lines of a storage `main` with both sides, from line 4 on. */
const withMain = (...lines: readonly string[]): string =>
  ['storages:', '  main:', '    master: /mnt/Data.fs', '    slave: /srv/Data.fs', ...lines].join('\n');

interface Case {
  readonly name: string;
  readonly text: string;
  /** Without the path of the file. */
  readonly expected: readonly (string | RegExp)[];
}

const CASES: readonly Case[] = [
  { name: 'no mistake', text: withMain(), expected: ['no mistake'] },
  {
    name: 'an unknown key that is near a known one',
    text: withMain('    blob: { master: /a, slave: /b }'),
    expected: ['5: storages.main: found the unknown key "blob", expected blobs, perhaps'],
  },
  {
    name: 'a misspelt required key is one mistake',
    text: 'storages:\n  main:\n    mastr: /a\n    slave: /b',
    expected: ['3: storages.main: found the unknown key "mastr", expected master, perhaps'],
  },
  {
    name: 'an unknown key that is near none',
    text: withMain('compression: zip'),
    expected: ['5: found the unknown key "compression", expected one of storages, status-file, watch, hooks, cluster'],
  },
  {
    name: 'a key of another place',
    text: withMain('watch: { master: /a }'),
    expected: [/^5: watch: found the unknown key "master", expected one of interval, listen, textfile, heartbeat$/],
  },
  {
    name: 'a key twice',
    text: withMain('    slave: /other'),
    expected: ['5: storages.main.slave: found the key "slave" again, expected it once, as in line 4'],
  },
  {
    name: 'a storage twice',
    text: withMain('  main: { master: /a, slave: /b }'),
    expected: ['5: storages.main: found the key "main" again, expected it once, as in line 2'],
  },
  {
    name: 'a missing key',
    text: 'storages:\n  main:\n    slave: /b',
    expected: [/^2: storages\.main: found no key master, expected it: an absolute path/],
  },
  { name: 'no storages', text: 'watch: { interval: 1s }', expected: [/^1: found no key storages, expected it: /] },
  {
    name: 'storages without any',
    text: 'storages: {}',
    expected: [/^1: storages: found keys with values, expected storages/],
  },
  {
    name: 'storages with nothing',
    text: 'storages:',
    expected: ['1: storages: found nothing, expected storages by their names'],
  },
  {
    name: 'a storage with nothing',
    text: 'storages:\n  main:\n  other: { master: /a, slave: /b }',
    expected: ['2: storages.main: found nothing, expected { master: PATH, slave: PATH }'],
  },
  { name: 'a list at the top', text: '- a\n- b', expected: [/^1: found a list, expected a configuration/] },
  { name: 'a word at the top', text: 'storages', expected: [/^1: found "storages", expected a configuration/] },
  {
    name: 'a relative path, a remote path, a number and a list in the place of a path',
    text: withMain(
      '    status-file: run/status',
      '  other:',
      '    master: m1:/srv/Data.fs',
      '    slave: 7',
      'status-file: [/a]',
    ),
    expected: [
      /^5: storages\.main\.status-file: found "run\/status", expected an absolute path of this machine/,
      /^7: storages\.other\.master: found "m1:\/srv\/Data\.fs", expected an absolute path/,
      /^8: storages\.other\.slave: found the number 7, expected an absolute path/,
      /^9: status-file: found a list, expected an absolute path/,
    ],
  },
  {
    name: 'a path with a control character',
    text: withMain('status-file: "/srv/\\x07"'),
    expected: [/^5: status-file: found "\/srv\/\\u0007", expected an absolute path/],
  },
  {
    name: 'durations',
    text: withMain('    timeout: 30', 'watch: { interval: 0s }', 'hooks: { timeout: 2 weeks }'),
    expected: [
      /^5: storages\.main\.timeout: found the number 30, expected a duration/,
      /^6: watch\.interval: found "0s", expected a duration from 100ms to 1h/,
      /^7: hooks\.timeout: found "2 weeks", expected a duration/,
    ],
  },
  {
    name: 'sizes',
    text: withMain('    scrub: everything', '    chunk-size: 32MB'),
    expected: [
      /^5: storages\.main\.scrub: found "everything", expected 0, full, or a size/,
      /^6: storages\.main\.chunk-size: found "32MB", expected a size such as 32MiB/,
    ],
  },
  {
    name: 'addresses',
    text: withMain('watch:', '  listen: localhost', '  heartbeat: ftp://host/', '  textfile: x.prom'),
    expected: [
      /^6: watch\.listen: found "localhost", expected HOST:PORT/,
      /^7: watch\.heartbeat: found "ftp:\/\/host\/", expected a URL that begins with http/,
      /^8: watch\.textfile: found "x\.prom", expected an absolute path/,
    ],
  },
  {
    name: 'names',
    text: withMain(
      '    group: a b',
      '    file: ../x.fs',
      '  2nd: { master: /a, slave: /b }',
      '  "": { master: /c, slave: /d }',
    ),
    expected: [
      /^5: storages\.main\.group: found "a b", expected a name/,
      /^6: storages\.main\.file: found "\.\.\/x\.fs", expected a file's name without a directory/,
      /^7: storages: found "2nd", expected a name/,
      /^8: storages: found "", expected a name/,
    ],
  },
  {
    name: 'choices',
    text: withMain('    blobs: { master: /a, slave: /b, by: name, as: hardlink, keep: yes }'),
    expected: [
      '5: storages.main.blobs.by: found "name", expected records or tree',
      '5: storages.main.blobs.as: found "hardlink", expected copy, reflink or link',
      '5: storages.main.blobs.keep: found "yes", expected true or false',
    ],
  },
  {
    name: 'hooks',
    text: withMain(
      'hooks:',
      '  loss: /sbin/restart --all',
      '  refusal: [page]',
      '  damage: []',
      '  fork: [/a, 1]',
      '  forks: [/a]',
    ),
    expected: [
      /^6: hooks\.loss: found "\/sbin\/restart --all", expected a list: the absolute path of a program/,
      /^7: hooks\.refusal: found "page", expected a list/,
      /^8: hooks\.damage: found a list, expected a list: the absolute path/,
      /^9: hooks\.fork: found the number 1, expected a list/,
      '10: hooks: found the unknown key "forks", expected fork, perhaps',
    ],
  },
  {
    name: 'storages that write to one place',
    text: withMain(
      '    blobs: { master: /a, slave: /b }',
      '  second: { master: /mnt/x.fs, slave: /srv/ }',
      '  third:',
      '    master: /mnt',
      '    slave: /srv/./x/..',
      '    blobs: { master: /c, slave: /b/ }',
      '  fourth: { master: /mnt, slave: /mnt, nonsense: 1 }',
      '  fifth: { master: /5, slave: /srv, file: x.fs, blobs: { master: /5, slave: /5 } }',
    ),
    expected: [
      '9: storages.third.slave: found /srv/Data.fs, which is storages.main.slave in line 4 as well, expected a file of its own',
      '10: storages.third.blobs.slave: found /b, which is storages.main.blobs.slave in line 5 as well, expected a directory of its own',
      /^11: storages\.fourth: found the unknown key "nonsense"/,
      '11: storages.fourth.slave: found /mnt/Data.fs, the master, expected another file',
      '12: storages.fifth.slave: found /srv/x.fs, which is storages.second.slave in line 6 as well, expected a file of its own',
      "12: storages.fifth.blobs.slave: found /5, the master's, expected another directory",
    ],
  },
  {
    name: 'storages that copy in a circle',
    text: [
      'storages:',
      '  a: { master: /1, slave: /2 }',
      '  b: { master: /2, slave: /3 }',
      '  c: { master: /3/Data.fs, slave: /1 }',
    ].join('\n'),
    expected: ['4: storages.c.slave: found /1/Data.fs, from which its own master is copied, expected another file'],
  },
  {
    name: 'a slave that is copied on, and a switch for two',
    text: [
      'storages:',
      '  a: { master: /1, slave: /2, status-file: /switch }',
      '  b: { master: /2, slave: /3, status-file: /switch }',
      'status-file: /switch',
    ].join('\n'),
    expected: ['no mistake'],
  },
  {
    name: 'a Data.fs that would be replaced by a switch or by figures',
    text: withMain(
      '    status-file: /srv/Data.fs',
      'watch: { textfile: /mnt/../mnt/Data.fs }',
      'status-file: /mnt/Data.fs',
    ),
    expected: [
      '5: storages.main.status-file: found /srv/Data.fs, which is storages.main.slave in line 4, expected a file of its own',
      '6: watch.textfile: found /mnt/Data.fs, which is storages.main.master in line 3, expected a file of its own',
      '7: status-file: found /mnt/Data.fs, which is storages.main.master in line 3, expected a file of its own',
    ],
  },
  {
    name: 'a file beside a Data.fs, or the configuration, that would be replaced',
    text: withMain('status-file: /srv/Data.fs.role', `watch: { textfile: ${PATH} }`),
    expected: [
      '5: status-file: found /srv/Data.fs.role, which is beside storages.main.slave in line 4, expected a file of its own',
      '6: watch.textfile: found /etc/syncpozo.yml, which is this configuration, expected a file of its own',
    ],
  },
  {
    name: 'a switch that would be replaced by figures',
    text: withMain('status-file: /status', 'watch: { textfile: /status }'),
    expected: ['6: watch.textfile: found /status, which is status-file in line 5, expected a file of its own'],
  },
  {
    name: 'an interval that is too short',
    text: withMain('watch: { interval: 1ms }'),
    expected: [/^5: watch\.interval: found "1ms", expected a duration from 100ms to 1h/],
  },
  { name: 'a tab', text: 'storages:\n\tmain: x', expected: ['2: found a tab, expected spaces for the indentation'] },
  {
    name: 'no YAML',
    text: withMain('    status-file: "/a'),
    expected: [/^5: found no YAML \(missing closing "quote\), expected YAML 1\.2$/],
  },
  { name: 'two values in one line', text: 'storages: main: x', expected: [/^1: found a second ": " in one line/] },
  { name: 'two documents', text: `${withMain()}\n---\na: 1`, expected: [/^5: found a second document, expected one/] },
  {
    name: 'an alias',
    text: 'storages:\n  a: &x { master: /a, slave: /b }\n  b: *x',
    expected: [/^3: storages\.b: found the alias \*x/],
  },
  {
    name: 'a merge key',
    text: withMain('    <<: { file: x }'),
    expected: [/^5: storages\.main: found the unknown key "<<"/],
  },
  {
    name: 'a tag',
    text: withMain('    file: !include x'),
    expected: ['5: found an unknown tag, expected a value without "!"'],
  },
  { name: 'a key that is a list', text: withMain('? [a]\n: b'), expected: [/^5: found a key that is no word/] },
  { name: 'an empty file', text: '', expected: [] },
  { name: 'comments only', text: '# storages\n', expected: [] },
  { name: 'far too deep', text: `a: ${'['.repeat(100_000)}`, expected: [/^1: found more than 32 levels/] },
];

describe('the mistakes of a configuration, each with its line:', () => {
  for (const { name, text, expected } of CASES)
    it(name, () => {
      const found = mistakesOf(text).map((line) => line.replace(`${PATH}:`, ''));
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [index, line] of expected.entries())
        if (typeof line === 'string') assert.equal(found[index], line);
        else assert.match(found[index] ?? '', line);
    });

  it('many mistakes are counted, not all listed', () => {
    const lines = mistakesOf(withMain(...Array.from({ length: 5000 }, (_, index) => `key${index}: 1`)));
    assert.equal(lines.length, 101);
    assert.equal(lines.at(-1), `${PATH}: 4900 more mistakes`);
  });

  it('a name of many lines is one line, cut short', () => {
    for (const line of mistakesOf(`storages:\n  "${'a\\n'.repeat(200)}": { master: /m }`)) {
      assert.ok(!line.includes('\n') && line.length < 400, line);
      assert.match(line, /^\S+:2: storages(\.\S+)?: found /);
    }
  });

  it('long values are cut short, and each mistake is one line', () => {
    const [line = ''] = mistakesOf(withMain(`status-file: "${'\\n'.repeat(10_000)}"`));
    assert.ok(line.length < 300, line);
    assert.ok(!line.includes('\n'));
  });
});
