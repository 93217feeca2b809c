import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { syncSites } from '../crash/sync-sites.js';
import { importGraph } from '../support/import-graph.js';
import { inProject } from '../support/root.js';

/**
 * The pages that lead a reader through the tree say what is in the tree: paths, rooms, commands. What they say in words is
 * not checked here.
 */
const ARCHITECTURE = 'docs/architecture.md';
const CONTRIBUTING = 'CONTRIBUTING.md';

const rooms = readdirSync(inProject('src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

const pages = [ARCHITECTURE, CONTRIBUTING, 'src/README.md', ...rooms.map((room) => `src/${room}/README.md`)];

/** Text in backticks that names a file or folder of the project; `dist` and `.venv` are made by commands. */
const PATH = /^(?!dist\/|\.venv\b)(?:[\w.*-]+\/)*[\w.*-]+(?:\/|\.(?:ts|md|json|svg|py|sh|txt))$/;
const FOLDER = /^(?:bench|docs|scripts|src|test|workers)(?:\/[\w.*-]+)+$/;
const SLAVE_FILE = /^Data\.fs/;

function read(page: string): string {
  return readFileSync(inProject(page), 'utf8');
}

/** Paths in backticks, outside of blocks of code. */
function pathsIn(text: string): string[] {
  const prose = text.replace(/^```.*?^```/gms, '');
  const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, path]) => path ?? '');
  return quoted.filter((path) => (PATH.test(path) || FOLDER.test(path)) && !SLAVE_FILE.test(path));
}

/** Whether a path, whose name may have stars in it, leads to something from the page's folder, from src or from the root. */
function leadsSomewhere(path: string, page: string): boolean {
  return [dirname(page), 'src', '.'].some((base) => {
    const full = inProject(base, path);
    if (!path.includes('*')) return existsSync(full);
    const form = new RegExp(`^${basename(full).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    return existsSync(dirname(full)) && readdirSync(dirname(full)).some((name) => form.test(name));
  });
}

/** Targets of links and pictures that are no addresses. */
function linksIn(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function isAnchorOf(anchor: string, page: string): boolean {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].some(([, heading]) => anchorOf(heading ?? '') === anchor);
}

function sectionOf(page: string, heading: string): string {
  const section = read(page)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section, `${page} has no section ${heading}`);
  return section;
}

/** Rows of a section's first table by their first cell, a link's text without the link. */
function rowsOf(section: string): ReadonlyMap<string, readonly string[]> {
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  const rows = lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(rows.map(([first = '', ...others]) => [first.replace(/^\[(.*)\]\(.*\)$/, '$1'), others]));
}

describe('the pages of the tree', () => {
  for (const page of pages) {
    it(`${page} names only what exists`, () => {
      const text = read(page);
      assert.deepEqual(
        pathsIn(text).filter((path) => !leadsSomewhere(path, page)),
        [],
      );
      for (const link of linksIn(text)) {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(inProject(target)), `${page}: ${link}`);
        if (anchor !== undefined) assert.ok(isAnchorOf(anchor, target), `${page}: ${link}`);
      }
    });
  }

  it('and a path that leads nowhere would be found', () => {
    const text =
      'a `src/sync/gone.ts`, a `gone.ts`, a `src/gone`, a `*-gone.ts`; no `Data.fs.dat`, `dist/x.js`, `npm test`';
    const found = pathsIn(text);
    assert.deepEqual(found, ['src/sync/gone.ts', 'gone.ts', 'src/gone', '*-gone.ts']);
    assert.deepEqual(
      found.filter((path) => leadsSomewhere(path, 'src/sync/README.md')),
      [],
    );
    for (const path of ['batch.ts', 'sync/batch.ts', 'src/sync/batch.ts', 'src/sync', '*-outcome.ts'])
      assert.ok(leadsSomewhere(path, 'src/sync/README.md'), path);
  });
});

describe('the table of rooms', () => {
  const rows = rowsOf(sectionOf(ARCHITECTURE, 'Rooms'));
  const CLOCK = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bmilliseconds\(\)|\bprocess\.uptime\b/;
  const THREADS = /'node:worker_threads'|\bPiscina\b/;
  const ENVIRONMENT = /\bprocess\.env\b/;

  it('has a row for every room of src, and no other', () => {
    assert.deepEqual([...rows.keys()].sort(), rooms);
  });

  it('names as callers those whose imports the lint allows', () => {
    const { overrides } = JSON.parse(read('biome.json')) as { overrides: readonly { includes: string[] }[] };
    const calls = (caller: string, room: string): boolean => {
      const folder = caller === 'workers' ? 'workers/**' : `src/${caller}/**`;
      const rules = overrides.filter(({ includes }) => includes.includes(folder)).map((rule) => JSON.stringify(rule));
      assert.ok(rules.length > 0, caller);
      return rules.every((rule) => !rule.includes('"../**"') || rule.includes(`/${room}/**"`));
    };
    for (const room of rooms.filter((name) => name !== 'commands')) {
      const callers = [...rooms, 'workers'].filter((caller) => caller !== room && calls(caller, room)).sort();
      assert.equal(rows.get(room)?.at(-1), callers.join(', '), room);
    }
  });

  it('says which rooms start threads, read a clock and read the environment', () => {
    const sources = [...importGraph('src').keys()];
    for (const [room, [, threads, clock, environment]] of rows) {
      const files = sources.filter((path) => path.startsWith(`src/${room}/`));
      const text = files.map((path) => read(path).replace(/^import type .*$/gm, '')).join('\n');
      const cells = { threads, clock, environment };
      for (const [name, form] of Object.entries({ threads: THREADS, clock: CLOCK, environment: ENVIRONMENT })) {
        const isNever = cells[name as keyof typeof cells]?.startsWith('–');
        assert.equal(!isNever, form.test(text), `${room}: ${name}`);
      }
    }
  });
});

describe('the other tables', () => {
  it('every entry of workers has a row', () => {
    const entries = readdirSync(inProject('workers')).map((name) => `\`workers/${name}\``);
    assert.deepEqual([...rowsOf(sectionOf(ARCHITECTURE, 'Workers')).keys()].sort(), entries.sort());
  });

  it('the order of writes names every file in which something is made durable', () => {
    const section = sectionOf(ARCHITECTURE, 'The order of writes');
    const files = new Set(syncSites().flatMap((site) => [...site.matchAll(/[\w/-]+(?=\.js:)/g)].map(([path]) => path)));
    assert.ok(files.size > 10, 'too few files were found');
    const unnamed = [...files].filter((path) => !section.includes(`\`src/${path}.ts\``));
    assert.deepEqual(unnamed, []);
  });
});

describe('CONTRIBUTING.md', () => {
  const text = read(CONTRIBUTING);

  it('names every npm script', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
    const named = (name: string) => text.includes(`\`npm ${name === 'test' ? name : `run ${name}`}`);
    assert.deepEqual(
      Object.keys(scripts).filter((name) => !named(name)),
      [],
    );
  });

  it('names every folder of test, and every variable of the environment that tests read', () => {
    const folders = readdirSync(inProject('test'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) assert.ok(text.includes(`\`test/${name}\``), `test/${name}`);
    const names = readdirSync(inProject('test'), { recursive: true, encoding: 'utf8' });
    const sources = names.filter((name) => /\.(ts|py)$/.test(name)).map((name) => join('test', name));
    const variable = /(?:process\.env|environ\.get|environ)[.[('"]+(SYNCPOZO_\w+)/g;
    const variables = new Set(
      sources.flatMap((path) => [...read(path).matchAll(variable)].map(([, name]) => name ?? '')),
    );
    for (const name of variables) assert.ok(text.includes(`\`${name}\``), name);
  });
});
