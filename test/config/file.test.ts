import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { listing } from '../support/pair.js';
import { asNobody, needsOtherUser } from '../support/powers.js';
import { withTempDir } from '../support/site.js';

/** Asserts a usage mistake with these lines on standard error, and nothing else. */
function assertMistake(run: Run, lines: readonly string[]): void {
  assertNoCrash(run);
  assert.deepEqual([run.exit, run.stdout], [2, ''], run.all);
  assert.deepEqual(run.stderr.trimEnd().split('\n'), lines);
}

const sync = (path: string, ...more: string[]): Run => syncpozo(['sync', '--config', path, '--json', ...more]);

describe('a configuration with mistakes', () => {
  it('of which there are four: four lines, and nothing is synced', () =>
    withConfigured(['main', 'catalog', 'third'], (configured) => {
      const { path, directory } = configured.write({ main: ['scrub: much'], third: ['nonsense: 1', 'timeout: 5'] }, [
        'watch: { listen: 9177 }',
      ]);
      const before = listing(directory);
      for (const args of [[], ['main'], ['catalog']]) {
        const run = sync(path, ...args);
        assertMistake(run, run.stderr.trimEnd().split('\n'));
        const lines = run.stderr.trimEnd().split('\n');
        assert.equal(lines.length, 4, run.all);
        assert.deepEqual(
          lines.map((line) => line.slice(0, path.length + 4).trimEnd()),
          [5, 12, 13, 15].map((number) => `${path}:${number}:`.padEnd(path.length + 4).trimEnd()),
        );
      }
      assert.deepEqual(listing(directory), before);
      assertNoCrash(configured.write().run('sync', '--json'));
      configured.pair('catalog').assertInStep();
    }));

  it('stops every command, and off as well', () =>
    withConfigured(['main'], (configured) => {
      configured.write({ main: ['scrub: much'] });
      for (const command of ['status', 'verify', 'promote', 'demote', 'on', 'off', 'log', 'index', 'compare']) {
        const run = configured.run(command);
        assertMistake(run, [
          `${configured.path}:5: storages.main.scrub: found "much", expected 0, full, or a size such as 16MiB (B, KiB, MiB, GiB)`,
        ]);
      }
    }));

  it('shows no control character of the file on the terminal', () =>
    withTempDir((directory) => {
      const path = join(directory, 'a.yml');
      writeFileSync(path, 'storages:\n  main: { master: /m, slave: /s, "\\e[31mred\\u202e": 1 }\n');
      const { stderr } = sync(path);
      assert.match(stderr, /found the unknown key "\\u001b\[31mred\\u202e"/);
      for (const character of ['\u001b', '\u202e']) assert.ok(!stderr.includes(character));
    }));
});

describe('a configuration file that', () => {
  const at = (use: (path: string, directory: string) => void) =>
    withTempDir((directory) => use(join(directory, 'syncpozo.yml'), directory));

  it('does not exist', () =>
    at((path, directory) => {
      const expected = [
        `${path}: found no file, expected a configuration`,
        `hint: write ${path}, or name another file with --config`,
      ];
      assertMistake(sync(path), expected);
      symlinkSync(join(directory, 'nowhere'), path);
      assertMistake(sync(path), expected);
      const below = join(path, 'x.yml');
      assertMistake(
        sync(below),
        expected.map((line) => line.replaceAll(path, below)),
      );
    }));

  it('is a directory, or a device', () =>
    at((path) => {
      mkdirSync(path);
      const hint = `hint: name the file itself in the place of ${path}`;
      assertMistake(sync(path), [`${path}: it is a directory, not a file: expected YAML`, hint]);
      assertMistake(sync('/dev/null'), [
        '/dev/null: it is a special file, not a file: expected YAML',
        'hint: name the file itself in the place of /dev/null',
      ]);
    }));

  it('is empty, or has comments only', () =>
    at((path) => {
      for (const text of ['', '\n\n', '# storages:\n', '---\n']) {
        writeFileSync(path, text);
        assertMistake(sync(path), [
          `${path}: found nothing in it, expected storages`,
          `hint: write storages into ${path}; the sample scripts/syncpozo.yml shows them`,
        ]);
      }
    }));

  it('is no UTF-8', () =>
    at((path) => {
      writeFileSync(path, Buffer.from('storages:\n  # caf\xe9\n', 'latin1'));
      assertMistake(sync(path), [`${path}:2: found bytes that are not UTF-8, expected UTF-8`]);
    }));

  it('has a byte order mark and the line ends of another system is read', () =>
    withConfigured(['main'], ({ path }) => {
      writeFileSync(path, `\ufeff${readFileSync(path, 'utf8').replaceAll('\n', '\r\n')}`);
      assert.equal(sync(path).exit, 0);
    }));

  it('is too large', () =>
    at((path) => {
      writeFileSync(path, '#'.repeat((256 << 10) + 1));
      assertMistake(sync(path), [
        `${path}: 262145 bytes, expected at most 262144`,
        `hint: is ${path} a configuration? Name it with --config`,
      ]);
    }));

  it('the user may not read', { skip: needsOtherUser ?? false }, () =>
    withConfigured(['main'], (configured) => {
      const { path } = configured;
      chmodSync(path, 0o600);
      const run = syncpozo(['sync', '--config', path], { through: asNobody });
      assertMistake(run, [
        `${path}: cannot be read: permission denied`,
        `hint: the user that runs syncpozo needs to read ${path}`,
      ]);
    }),
  );

  it('is a symbolic link is read', () =>
    withConfigured(['main'], ({ path, directory }) => {
      const link = join(directory, 'link.yml');
      symlinkSync(path, link);
      assert.equal(sync(link).exit, 0);
    }));
});
