import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';

function logOf(pair: Pair, ...more: string[]): Run {
  const run = pair.unchanged(() => syncpozo(['log', pair.masterFile, ...more]));
  assertNoCrash(run);
  return run;
}

/** The tids in `log --json`, and those of the site, newest first. */
function shown(run: Run): string[] {
  assert.equal(run.exit, 0, run.all);
  return run.json.transactions.map(({ tid }: { tid: string }) => tid);
}

function tidsOf(pair: Pair): string[] {
  return pair.site.transactions.map(({ tid }) => formatTid(tid)).reverse();
}

describe('syncpozo log', () => {
  it('prints the newest ten transactions, newest first, one per line', () =>
    withPair((pair) => {
      for (let round = 0; round < 5; round++) pair.commit('a', 'b', 'c');
      const { stdout, stderr } = logOf(pair);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(stderr, '');
      assert.deepEqual(
        lines.map((line) => line.split(' ')[0]),
        tidsOf(pair).slice(0, 10),
      );
      assert.match(
        lines[0] ?? '',
        /^[0-9a-f]{16} {2}2026-01-01T00:00:\d\d\.\d{3}Z {2}\d+ B {2}1 object {2}"editor" "edited"$/,
      );
    }));

  it('prints position, size, status and number of objects of each as JSON', () =>
    withPair((pair) => {
      const { json } = logOf(pair, '--json');
      assert.equal(json.path, pair.masterFile);
      assert.equal(json.transactions.length, 3);
      const first = json.transactions.at(-1);
      assert.deepEqual(
        [first.position, first.status, first.user, first.description, first.objects],
        [4, ' ', '', 'initial database creation', 1],
      );
      assert.equal(json.transactions[0].position + json.transactions[0].size, pair.site.committedEnd);
    }));

  it('prints as many as -n asks for, and those between --from and --to', () =>
    withPair((pair) => {
      pair.commit('a', 'b', 'c', 'd');
      const tids = tidsOf(pair);
      assert.deepEqual(shown(logOf(pair, '--json', '-n', '2')), tids.slice(0, 2));
      assert.deepEqual(shown(logOf(pair, '--json', '-n', '0')), []);
      assert.deepEqual(shown(logOf(pair, '--json', '-n', '1000')), tids);
      const [from = '', to = ''] = [tids[4], tids[2]];
      assert.deepEqual(shown(logOf(pair, '--json', '--from', from, '--to', to)), tids.slice(2, 5));
      assert.deepEqual(shown(logOf(pair, '--json', '--to', to, '-n', '1')), [to]);
    }));

  it('accepts the directory as well as the file', () =>
    withPair((pair) => {
      const run = syncpozo(['log', pair.master, '--json']);
      assert.deepEqual(shown(run), tidsOf(pair));
    }));

  it('skips a transaction in flight', () =>
    withPair((pair) => {
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      assert.deepEqual(shown(logOf(pair, '--json')), tidsOf(pair));
    }));

  for (const rest of [1, 10, 22, 23, 60])
    it(`skips a tail that is truncated after ${rest} bytes`, () =>
      withPair((pair) => {
        const tids = tidsOf(pair);
        const end = pair.site.committedEnd;
        pair.commit('breaks off');
        truncateSync(pair.masterFile, end + rest);
        assert.deepEqual(shown(logOf(pair, '--json')), tids);
      }));

  it('escapes control characters in user names', () =>
    withPair((pair) => {
      pair.site.commit({ user: 'a\u001b[2Jb', description: 'c\u009b31m\u007f\r\nd', edits: [] });
      const { stdout } = logOf(pair, '-n', '1');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test asserts their absence.
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      assert.equal(stdout.split('\n').length, 2);
    }));

  it('escapes bidirectional and invisible characters, and prints the exact text as JSON', () =>
    withPair((pair) => {
      const [user, description] = ['\u202eroot\u2066', 'gr\u00f6\u00dfer\u200b \ufeff\u061c\u2028\u{e0041} \u{1f600}'];
      pair.site.commit({ user, description, edits: [] });
      const line = logOf(pair, '-n', '1').stdout;
      const words = '"\\u202eroot\\u2066" "gr\u00f6\u00dfer\\u200b \\ufeff\\u061c\\u2028\\udb40\\udc41 \u{1f600}"\n';
      assert.ok(line.endsWith(words), line);
      const [entry] = logOf(pair, '-n', '1', '--json').json.transactions;
      assert.deepEqual([entry.user, entry.description], [user, description]);
    }));

  it('escapes control characters of a path in an error as well', () =>
    withPair((pair) => {
      const run = syncpozo(['log', join(pair.directory, 'a\u001b[2Jb\u202e.fs')]);
      assert.equal(run.exit, 2);
      assert.match(run.stderr, /^syncpozo: .*a\\u001b\[2Jb\\u202e\.fs does not exist\nhint: /);
    }));
});

describe('syncpozo log of something that is no Data.fs is an error that names the cause:', () => {
  const cases: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['a text', (path) => writeFileSync(path, 'a text'), /is not a Data\.fs/],
    ['an empty file', (path) => writeFileSync(path, ''), /is not a Data\.fs/],
    ['a missing file', () => {}, /file\.fs.*(ENOENT|does not exist)/],
    ['a directory in its place', (path) => mkdirSync(join(path, 'Data.fs'), { recursive: true }), /is a directory/],
    ['a pipe', (path) => execFileSync('mkfifo', [path]), /is a special file, not a Data\.fs/],
  ];
  for (const [name, make, message] of cases)
    it(name, () =>
      withPair((pair) => {
        const path = join(pair.directory, 'file.fs');
        make(path);
        const run = syncpozo(['log', path]);
        assertNoCrash(run);
        assert.ok(run.exit === 1 || run.exit === 2 || run.exit === 4, run.all);
        assert.match(run.stderr, message);
        assert.match(run.stderr, /^hint: /m);
        assert.equal(run.stdout, '');
      }),
    );
});
