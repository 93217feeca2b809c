import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SLAVE_STATES } from '../../src/report/standing.js';
import { inProject } from '../support/root.js';
import { codeSpansOf, sectionOf, textOf } from './markdown.js';

/** What is shorter could stand anywhere. */
const SHORTEST_PART = 7;

/** The code of the program, without comments: what it can print stands in it. */
const SOURCES = readdirSync(inProject('src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('demo'))
  .map((name) => readFileSync(inProject('src', name), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
  .join('\n');

/** The texts between the parts of a message that vary. A code at the end, such as (ENOSPC), is a part of its own. */
function fixedParts(message: string): string[] {
  const [, text = message, code] = /^(.*?) ?\(([A-Z]+)\)$/.exec(message) ?? [];
  const parts = text.split('...').map((part) => part.trim());
  return [...parts.filter((part) => part.length >= SHORTEST_PART), ...(code === undefined ? [] : [code])];
}

/**
 * Whether the program can print this: it stands in the sources, or in pieces of them that a template joins. Such a piece ends
 * before a `${` or a quote, and the next one begins behind a `}` or a quote.
 */
function isPrinted(part: string): boolean {
  if (SOURCES.includes(part)) return true;
  for (let length = part.length - 1; length > 1; length--) {
    const [piece, rest] = [part.slice(0, length), part.slice(length)];
    const isPiece = ['${', "'", '"', '`'].some((end) => SOURCES.includes(piece + end));
    if (isPiece && ['}', "'", '"', '`'].some((start) => SOURCES.includes(start + rest))) return true;
  }
  return false;
}

function messagesOf(section: string): string[] {
  const cells = [...section.matchAll(/^\| (`.*?) \| /gm)].map(([, cell = '']) => cell);
  return cells.flatMap(codeSpansOf).filter((code) => code.includes(' '));
}

test('operate.md names messages that the program prints', () => {
  const messages = messagesOf(sectionOf('docs/operate.md', 'When cron sends a mail'));
  assert.ok(messages.length >= 35, `only ${messages.length} messages were found`);
  for (const message of messages) {
    // Three dots may be the message's own.
    if (SOURCES.includes(message)) continue;
    const parts = fixedParts(message);
    assert.ok(parts.length > 0, `${message}: nothing of it is fixed`);
    for (const part of parts) assert.ok(isPrinted(part), `operate.md: ${message}: "${part}" is not in the sources`);
  }
});

test('watch.md names messages that the program prints', () => {
  const messages = codeSpansOf(textOf('docs/watch.md')).filter((code) => /^(the|systemd) .* (cannot|be) /.test(code));
  assert.ok(messages.length >= 3, messages.join('\n'));
  for (const message of messages) assert.ok(isPrinted(message), message);
});

test('a message that nobody prints is found', () => {
  assert.ok(!isPrinted('the slave has been parted from the master'));
  assert.ok(!isPrinted('status file is full'));
});

test('the lines that operators grep for have kept their wording', () => {
  const lines = [
    'Start syncing',
    'Script has started synchronization',
    'missing or empty .dat file (full backup)',
    'Slave (backup) file has grown since last syncing...',
    'NOT SYNCING FROM MASTER',
    'Finished syncing',
  ];
  for (const line of lines) {
    assert.ok(SOURCES.includes(`'${line}'`), line);
    assert.ok(textOf('docs/operate.md').includes(`\`${line}\``), line);
  }
});

test('monitoring.md names every state and every metric, and no other', () => {
  const page = textOf('docs/monitoring.md');
  for (const state of SLAVE_STATES) assert.ok(page.includes(`\`${state.replaceAll('-', ' ')}\``), state);
  const sources = ['report/prometheus.ts', 'monitor/metrics.ts'].map((path) =>
    readFileSync(inProject('src', path), 'utf8'),
  );
  const inSource = new Set([...sources.join('').matchAll(/'(syncpozo_[a-z_]+)'/g)].map(([, name]) => name));
  const inPage = new Set([...page.matchAll(/`(syncpozo_[a-z_]+)`/g)].map(([, name]) => name));
  assert.ok(inSource.size > 15);
  assert.deepEqual([...inPage].sort(), [...inSource].sort());
});

test('performance.md has the figures of the results', () => {
  const figures = [
    ...sectionOf('docs/performance.md', 'Performance').matchAll(/^\| [a-z].* \| (\d+) \| ?(.*?) ?\|$/gm),
  ];
  assert.equal(figures.length, 6);
  const results = textOf('bench/RESULTS.md');
  const inMemory = results.slice(
    results.indexOf('## full copy: 2.0 GiB, in memory'),
    results.indexOf('## full copy, durable'),
  );
  for (const [row, own = '', others = ''] of figures) {
    for (const figure of [own, ...(others.match(/(?<= )\d{2,}(?=;|$)/g) ?? [])])
      assert.match(inMemory, new RegExp(`^\\| [^|]+ \\| ${figure} \\|`, 'm'), row);
  }
});
