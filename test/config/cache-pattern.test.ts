import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { isCachePattern, reachesInto, wouldRemove } from '../../src/config/cache-pattern.js';
import { parseConfiguration } from '../../src/config/parse-configuration.js';
import { clusterText } from '../support/cluster.js';
import { withTempDir } from '../support/site.js';

describe('a pattern of cache files', () => {
  it('is absolute, three levels deep at least, and wild from the third on', () => {
    for (const good of ['/srv/zope/*.zec', '/a/b/c', '/var/lib/zope/client[12]/*.zec', '/a/b/.zec*', '/a/b/c?'])
      assert.ok(isCachePattern(good), good);
    for (const bad of [
      ...['', '/', '*', '/*', '/srv', '/srv/*', '/srv/zope', '/srv/*/x', '/*/zope/x', '/s?v/zope/x', '/srv/zo[p]e/x'],
      ...['srv/zope/x', './a/b/c', '/srv/zope/', '/srv//x/y', '/srv/zope/../x', '/srv/./zope/x', '/srv/zope/.*'],
      ...['/srv/zope/.?', '/srv/zope/.[.]', '/srv/zope/$(x)', '/srv/zope/`x`', '/srv/zope/a b', "/srv/zope/'x'"],
      ...['/srv/zope/"', '/srv/zope/x;y', '/srv/zope/x\ny', '/srv/zope/{a,b}', '/srv/zope/~', '/srv/zope/a\\b'],
    ])
      assert.ok(!isCachePattern(bad), bad);
  });

  it('matches what a shell matches, or more', () =>
    withTempDir((directory) => {
      const names = ['a', 'ab', 'abc', 'b.zec', 'main.zec', 'Data.fs', 'Data.fs.role', 'x]y', '.hidden'];
      for (const name of names) writeFileSync(join(directory, name), '');
      mkdirSync(join(directory, 'deep'));
      writeFileSync(join(directory, 'deep', 'b.zec'), '');
      const globs = [
        '*',
        '*.zec',
        'a*',
        '?',
        '??',
        '[ab]',
        '[!a]*',
        '*a*',
        '*b*c',
        'D*.f*',
        '*]*',
        'deep/*',
        '*/*.zec',
        '.h*',
      ];
      for (const glob of globs) {
        const found = execFileSync('sh', ['-c', `for f in ${directory}/${glob}; do [ -e "$f" ] && echo "$f"; done; :`]);
        for (const path of found.toString().split('\n').filter(Boolean))
          assert.ok(wouldRemove(`${directory}/${glob}`, path), `${glob} ${path}`);
      }
      const exact = (glob: string): string[] => names.filter((name) => wouldRemove(`/a/b/${glob}`, `/a/b/${name}`));
      assert.deepEqual(exact('*.zec'), ['b.zec', 'main.zec']);
      assert.deepEqual(exact('??'), ['ab']);
      assert.deepEqual(exact('*a*'), ['a', 'ab', 'abc', 'main.zec', 'Data.fs', 'Data.fs.role']);
      assert.deepEqual(exact('D*.f*'), ['Data.fs', 'Data.fs.role']);
    }));

  it('removes a path with one of its directories', () => {
    assert.ok(wouldRemove('/srv/zeo/*', '/srv/zeo/var/Data.fs'));
    assert.ok(!wouldRemove('/srv/zeo/*/x', '/srv/zeo/var'));
    assert.ok(reachesInto('/srv/zeo/*/x', '/srv/zeo/blobs'));
    assert.ok(!reachesInto('/srv/zeo/blobs', '/srv/zeo/blobs'));
    assert.ok(!reachesInto('/srv/zeo/var/*', '/srv/zeo/blobs'));
  });

  it('takes no time, whatever is in it', () => {
    const began = performance.now();
    assert.ok(!wouldRemove(`/a/b/${'*a'.repeat(5000)}`, `/a/b/${'a'.repeat(4000)}b`));
    assert.ok(performance.now() - began < 5000);
  });
});

describe('a pattern in a configuration', () => {
  const mistakesOf = (pattern: string): readonly string[] => {
    const text = `storages:
  main: { master: /mnt/peer/zeo/var, slave: /srv/zeo/var, blobs: { master: /mnt/peer/zeo/blobs, slave: /srv/zeo/blobs } }
  other: { master: /mnt/peer/zeo/var/o.fs, slave: /srv/zeo/var/o.fs, status-file: /var/lib/syncpozo/other }
status-file: /var/lib/syncpozo/status
${clusterText({ clients: `{ caches: [/srv/zope/var/x.zec, "${pattern}"] }` })}`;
    const parsed = parseConfiguration(text, '/etc/site/syncpozo.yml', '/usual');
    return 'mistakes' in parsed ? parsed.mistakes : [];
  };

  it('matches no data, switch, configuration or program', () => {
    for (const [pattern, removed] of [
      ['/srv/zeo/*', '/srv/zeo/var/Data.fs'],
      ['/srv/zeo/var', '/srv/zeo/var/Data.fs'],
      ['/srv/zeo/var/*', '/srv/zeo/var/Data.fs'],
      ['/srv/zeo/var/D*', '/srv/zeo/var/Data.fs'],
      ['/srv/zeo/var/Data.fs.role', '/srv/zeo/var/Data.fs.role'],
      ['/srv/zeo/var/*.role', '/srv/zeo/var/Data.fs.role'],
      ['/srv/zeo/var/o.f?', '/srv/zeo/var/o.fs'],
      ['/srv/zeo/blob*', '/srv/zeo/blobs'],
      ['/srv/zeo/blobs/0x00', '/srv/zeo/blobs'],
      ['/srv/zeo/blobs/*/*.zec', '/srv/zeo/blobs'],
      ['/mnt/peer/zeo/var/*', '/mnt/peer/zeo/var/Data.fs'],
      ['/var/lib/syncpozo', '/var/lib/syncpozo/status'],
      ['/var/lib/syncpozo/o*', '/var/lib/syncpozo/other'],
      ['/srv/zeo/bin/*', '/srv/zeo/bin/zeoctl'],
      ['/etc/site/*.yml', '/etc/site/syncpozo.yml'],
    ] as const) {
      const [mistake = ''] = mistakesOf(pattern);
      const found = `found ${pattern}, and what matches is removed: `;
      assert.ok(mistake.startsWith(`/etc/site/syncpozo.yml:11: cluster.clients.caches: ${found}`), mistake || pattern);
      assert.ok(mistake.includes(dirname(removed)) || mistake.includes(basename(removed)), mistake);
    }
    for (const pattern of ['/srv/zeo/var/*.zec', '/srv/zope/var/*', '/srv/zeo/var/client_1'])
      assert.deepEqual(mistakesOf(pattern), []);
  });
});
