import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { syncpozo } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { anchorsOf, codeSpansOf, linksOf, PAGES, textOf } from './markdown.js';

/** Options of other programs that the pages name. */
const OTHERS = new Set([
  '--global',
  '--now',
  '--append-verify',
  '--minutes',
  '--seed',
  '--convert-py3',
  '--strip-components',
  '--reboot',
]);

for (const page of PAGES) {
  test(`every link of ${page} leads somewhere`, () => {
    for (const link of linksOf(page).filter((target) => !/^[a-z]+:/.test(target))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      assert.ok(existsSync(inProject(target)), `${page}: ${link}: there is no ${target}`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(target).has(anchor), `${page}: ${link}: ${target} has no such heading`);
    }
  });
}

test('README leads to every page', () => {
  const linked = linksOf('README.md').map((link) => link.split('#')[0]);
  for (const page of PAGES.filter((name) => name !== 'README.md')) assert.ok(linked.includes(page), page);
});

test('the tests that reliability.md names are there', () => {
  const named = codeSpansOf(textOf('docs/reliability.md')).filter((code) => code.startsWith('test/'));
  assert.ok(named.length > 40);
  for (const name of named) {
    const start = basename(name);
    const there = readdirSync(inProject(dirname(name))).some(
      (file) => file === start || file.replace(/\.(test|campaign)?\.?(ts|py)$/, '') === start,
    );
    assert.ok(there, `there is no ${name}`);
  }
});

test('every option that the pages name is an option of the program or of its benchmarks', () => {
  const commands = [
    'sync',
    'status',
    'verify',
    'compare',
    'watch',
    'promote',
    'rejoin',
    'may-serve',
    'restore',
    'demote',
    'on',
    'log',
    'index',
    'restore',
    'extract',
    'config',
    'demo',
  ];
  const help = commands.map((command) => syncpozo([command, '--help']).stdout).join('');
  const all = `${help}${syncpozo(['--help']).stdout}${textOf('bench/options.ts')}${textOf('scripts/lost-content.py')}${textOf('scripts/install.sh')}`;
  const known = new Set([...all.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option));
  for (const page of PAGES) {
    const named = new Set([...textOf(page).matchAll(/(?<=[\s`])--[a-z][a-z0-9-]+/g)].map(([option]) => option));
    for (const option of named) assert.ok(known.has(option) || OTHERS.has(option), `${page} names ${option}`);
  }
});
