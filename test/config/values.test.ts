import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatListen, parseListen } from '../../src/config/listen.js';
import { nearest } from '../../src/config/nearest.js';
import { parseConfiguration } from '../../src/config/parse-configuration.js';
import { isStorageName } from '../../src/config/storage-name.js';
import { parseDuration } from '../../src/report/duration.js';

describe('a duration', () => {
  const GOOD = {
    '500ms': 0.5,
    '1s': 1,
    '1.5 s': 1.5,
    '10min': 600,
    '2h': 7200,
    '7d': 604_800,
    '0s': 0,
    '0.001s': 0.001,
  };
  for (const [text, seconds] of Object.entries(GOOD)) it(text, () => assert.equal(parseDuration(text), seconds));

  it('is none without a unit, with a sign, with another unit', () => {
    for (const text of ['', '1', '-1s', '1m', '1sec', '1 hour', 's', '1e3s', '1.2345s', '1s2', '12345678901s'])
      assert.equal(parseDuration(text), undefined, text);
  });
});

describe('an address to listen at', () => {
  const GOOD = ['127.0.0.1:9177', '[::1]:9177', 'localhost:80', 'host.example.org:65535', '0.0.0.0:0'];
  for (const text of GOOD)
    it(text, () => {
      const address = parseListen(text);
      assert.ok(address);
      assert.equal(formatListen(address), text);
    });

  it('is none without a port, with a wrong one, or where the host is none', () => {
    const bad = [
      '',
      ':9177',
      '9177',
      'localhost',
      '127.0.0.1',
      '127.0.0.1:',
      '127.0.0.1:65536',
      '127.0.0.1:-1',
      '1.2.3:80',
    ];
    for (const text of [
      ...bad,
      '::1:80',
      '[::1]',
      '[1.2.3.4]:80',
      '300.1.1.1:80',
      'a b:80',
      '-a:80',
      'a_b:80',
      'http://a:80',
    ])
      assert.equal(parseListen(text), undefined, text);
  });
});

describe('the name of a storage', () => {
  it('is a word that nobody takes for a path or an option', () => {
    for (const name of ['main', 'Main_2-x', 'a'.repeat(63)]) assert.ok(isStorageName(name), name);
    for (const name of ['', '.', 'a.fs', 'a/b', '-a', '2a', 'a b', 'a\n', 'ä', '__proto__', 'a'.repeat(64)])
      assert.ok(!isStorageName(name), name);
  });
});

describe('the word that was probably meant', () => {
  it('is near', () => {
    const words = ['master', 'slave', 'status-file', 'by', 'as'];
    assert.equal(nearest('mastr', words), 'master');
    assert.equal(nearest('statusFile', words), 'status-file');
    assert.equal(nearest('status_file', words), 'status-file');
    assert.equal(nearest('By', words), 'by');
    for (const word of ['us', 'xyz', 'slow', '', 'm'.repeat(100_000)])
      assert.equal(nearest(word, words), undefined, word);
  });
});

describe('a configuration', () => {
  const parse = (text: string) => {
    const parsed = parseConfiguration(text, '/x.yml', '/usual');
    assert.ok('configuration' in parsed, 'mistakes' in parsed ? parsed.mistakes.join('\n') : '');
    return parsed.configuration;
  };

  it('has every default', () => {
    assert.deepEqual(parse('storages: { main: { master: /m, slave: /s } }'), {
      path: '/x.yml',
      storages: [
        {
          name: 'main',
          master: '/m',
          slave: '/s',
          file: undefined,
          blobs: undefined,
          statusFile: '/usual',
          group: undefined,
          scrub: 16 << 20,
          timeoutSeconds: 30,
          chunkBytes: undefined,
          keepPacked: 0,
        },
      ],
      statusFile: '/usual',
      watch: { intervalSeconds: 1, listen: undefined, textfile: undefined, heartbeat: undefined },
      hooks: { commands: {}, timeoutSeconds: 30 },
      cluster: undefined,
    });
  });

  it('has what it sets, in the order of the file', () => {
    const text = `%YAML 1.2
---
storages:
  zeta:
    master: /m/../m1/z.fs
    slave: /s/
    blobs: { master: /bm, slave: /bs, by: tree, as: link, keep: true }
    status-file: /own
    group: site
    scrub: full
    timeout: 2min
    chunk-size: 1MiB
    keep-packed: 2
  alpha: { master: /m2, slave: /s2, file: a.fs, scrub: 0, chunk-size: 4096 }
status-file: /common
watch: { interval: 500ms, listen: '[::1]:9177', textfile: /t.prom, heartbeat: 'https://x/y?z' }
hooks: { loss: [/a, 'b c', ''], before-promote: [/c], timeout: 5s }
`;
    const { storages, statusFile, watch, hooks } = parse(text);
    assert.deepEqual(
      storages.map((storage) => [storage.name, storage.master, storage.slave, storage.file, storage.statusFile]),
      [
        ['zeta', '/m1/z.fs', '/s', 'z.fs', '/own'],
        ['alpha', '/m2', '/s2', 'a.fs', '/common'],
      ],
    );
    const [{ blobs, group, scrub, timeoutSeconds, chunkBytes, keepPacked } = assert.fail(), alpha = assert.fail()] =
      storages;
    assert.deepEqual(blobs, { master: '/bm', slave: '/bs', by: 'tree', way: 'link', keepPacked: true });
    assert.deepEqual([group, scrub, timeoutSeconds, chunkBytes, keepPacked], ['site', 'full', 120, 1 << 20, 2]);
    assert.deepEqual([alpha.scrub, alpha.chunkBytes, statusFile], [0, 4096, '/common']);
    const listen = { host: '::1', port: 9177 };
    assert.deepEqual(watch, { intervalSeconds: 0.5, listen, textfile: '/t.prom', heartbeat: 'https://x/y?z' });
    assert.deepEqual(hooks, { commands: { loss: ['/a', 'b c', ''], 'before-promote': ['/c'] }, timeoutSeconds: 5 });
  });
});
