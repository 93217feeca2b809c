import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { valueAt } from '../../src/commands/config-values.js';
import { CLUSTER_DEFAULTS } from '../../src/config/cluster.js';
import { everyKey } from '../../src/config/file-schema.js';
import { parseConfiguration } from '../../src/config/parse-configuration.js';
import { syncpozo } from '../support/cli.js';
import { clusterText } from '../support/cluster.js';
import { withTempDir } from '../support/site.js';
import { blocksOf, sectionOf, textOf } from './markdown.js';

const PAGE = 'docs/configuration.md';
const SAMPLE = 'scripts/syncpozo.yml';

const KEYS = everyKey().map((key) => key.replace('*', 'NAME'));
/** Names in the examples. */
const named = (key: string): string[] => key.replace('NAME', key.startsWith('cluster.') ? 'm1' : 'main').split('.');

function parse(text: string) {
  const parsed = parseConfiguration(text, '/etc/syncpozo.yml', '/var/run/syncPozo.status');
  assert.ok('configuration' in parsed, 'mistakes' in parsed ? parsed.mistakes.join('\n') : '');
  return parsed.configuration;
}

function rows(): readonly (readonly [key: string, defaults: string])[] {
  const table = sectionOf(PAGE, 'Every key');
  return [...table.matchAll(/^\| `(.*?)` \|.*?\| ?(.*?) ?\|/gm)].map(([, key = '', defaults = '']) => [key, defaults]);
}

const [small, complete] = blocksOf(PAGE)
  .filter(({ language }) => language === 'yaml')
  .map(({ lines }) => lines.join('\n'));

describe('docs/configuration.md', () => {
  it('has a row for every key, and no other', () => {
    assert.deepEqual(
      rows().map(([key]) => key),
      KEYS,
    );
  });

  it('has examples without a mistake, one of them with every key', () => {
    assert.equal(parse(small ?? '').storages.length, 1);
    const configuration = parse(complete ?? '');
    for (const key of KEYS) {
      const path = named(key);
      assert.notEqual(valueAt(configuration, path), undefined, `${key} is not set`);
      const name = `${path.at(-1)}:`;
      assert.ok(complete?.includes(`\n${'  '.repeat(path.length - 1)}${name}`) || path.length === 1, key);
    }
  });

  it('names the defaults that the reader has', () => {
    const bare = parse('storages: { main: { master: /m, slave: /s } }');
    const [storage = assert.fail()] = bare.storages;
    const shown = new Map(rows());
    assert.equal(shown.get('storages.NAME.scrub'), `\`${Number(storage.scrub) >> 20}MiB\``);
    assert.equal(shown.get('storages.NAME.timeout'), `\`${storage.timeoutSeconds}s\``);
    assert.equal(shown.get('watch.interval'), `\`${bare.watch.intervalSeconds}s\``);
    assert.equal(shown.get('hooks.timeout'), `\`${bare.hooks.timeoutSeconds}s\``);
    assert.ok(shown.get('status-file')?.endsWith(`\`${bare.statusFile}\``));
    const hosts = '{ m1: { address: 10.0.0.1 }, m2: { address: 10.0.0.2 } }';
    const cluster = clusterText({ hosts, 'heartbeat-interface': '' });
    const inCluster = parse(`storages: { main: { master: /m, slave: /s } }\n${cluster}`);
    const ofAnother = ['cluster.hosts.NAME.heartbeat', 'cluster.heartbeat-interface', 'cluster.web.service'];
    for (const [key, text] of shown) {
      if (!key.startsWith('cluster.') || !text.startsWith('`') || ofAnother.includes(key)) continue;
      const [, digits, unit] = /^`(\d+)(s|h)`$/.exec(text) ?? [];
      const expected = digits === undefined ? text.slice(1, -1) : Number(digits) * (unit === 'h' ? 3600 : 1);
      assert.equal(String(valueAt(inCluster, key.split('.'))), String(expected), key);
    }
    assert.equal(shown.get('cluster.web.service'), `\`${CLUSTER_DEFAULTS.service}\``);
    for (const key of ['by', 'as', 'keep']) {
      const text = 'storages: { main: { master: /m, slave: /s, blobs: { master: /a, slave: /b } } }';
      const value = valueAt(parse(text), ['storages', 'main', 'blobs', key]);
      assert.equal(shown.get(`storages.NAME.blobs.${key}`), `\`${value}\``);
    }
  });

  it('shows mistakes as they are reported', () =>
    withTempDir((directory) => {
      const path = join(directory, 'syncpozo.yml');
      const lines = [
        'storages:',
        '  main:',
        '    master: mnt/m1/zeo/var',
        '    slave: /srv/zeo/var',
        '    blob: { master: /mnt/m1/zeo/blobs, slave: /srv/zeo/blobs }',
        '',
        '  catalog:',
        '    master: /mnt/m1/zeo/var/catalog.fs',
        '    slave: /srv/zeo/var/Data.fs',
        'watch:',
        '  interval: 1',
      ];
      writeFileSync(path, `${lines.join('\n')}\n`);
      const shown = blocksOf(PAGE).find(({ language }) => language === '');
      assert.equal(
        syncpozo(['config', 'check', '--config', path]).stderr.replaceAll(path, '/etc/syncpozo.yml').trimEnd(),
        shown?.lines.join('\n'),
      );
    }));
});

describe('scripts/syncpozo.yml', () => {
  it('has no mistake, with and without what is commented out', () => {
    assert.equal(parse(textOf(SAMPLE)).storages.length, 1);
    const all = textOf(SAMPLE).replace(/^( *)#(?! \S)/gm, '$1');
    const { storages, statusFile, watch, hooks, cluster } = parse(all);
    assert.deepEqual(
      storages.map(({ name, group }) => [name, group]),
      [
        ['main', undefined],
        ['catalog', 'site'],
      ],
    );
    assert.deepEqual([statusFile, watch.listen?.port], ['/srv/zeo/var/syncPozo.status', 9177]);
    assert.deepEqual(Object.keys(hooks.commands), ['refusal']);
    assert.deepEqual([cluster?.ping, cluster?.web?.check], ['192.168.1.1', 'http://127.0.0.1/balancer-manager']);
    const { cluster: asSent } = parse(textOf(SAMPLE));
    assert.deepEqual([asSent?.ping, asSent?.web], [undefined, undefined]);
  });

  it('has every key of the cluster', () => {
    const all = parse(textOf(SAMPLE).replace(/^( *)#(?! \S)/gm, '$1'));
    for (const key of KEYS.filter((each) => each.startsWith('cluster.')))
      assert.notEqual(valueAt(all, named(key)), undefined, key);
  });
});
