import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { clusterText } from '../support/cluster.js';
import { withConfigured } from '../support/configured.js';
import { withTempDir } from '../support/site.js';

describe('config check', () => {
  it('prints a line for each storage, also where the masters are out of reach', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const { master, slave } = configured.pair('main');
      const text = `storages:\n  main: { master: /nowhere/at/all, slave: ${slave} }\n  second: { master: ${master}, slave: ${slave}/x.fs }\n`;
      writeFileSync(configured.path, text);
      const run = configured.run('config', 'check');
      assertNoCrash(run);
      assert.equal(
        run.stdout,
        `main: ok, from /nowhere/at/all to ${slave}\nsecond: ok, from ${master} to ${slave}/x.fs\n`,
      );
      assert.deepEqual([run.exit, run.stderr], [0, '']);
      assert.equal(configured.run('config', 'check', '--quiet').stdout, '');
    }));

  it('warns of blob directories that are one behind links, or lie in one another', () =>
    withConfigured(['main', 'catalog', 'third', 'fourth'], (configured) => {
      const { directory } = configured;
      const blobs = join(directory, 'blobs');
      for (const name of ['inner', 'other']) mkdirSync(join(blobs, name), { recursive: true });
      symlinkSync(blobs, join(directory, 'link'));
      mkdirSync(join(directory, 'apart'));
      const of = (slave: string): string[] => [`blobs: { master: /elsewhere, slave: ${slave} }`];
      const paths = {
        main: blobs,
        catalog: join(directory, 'link'),
        third: join(blobs, 'inner'),
        fourth: join(directory, 'apart'),
      };
      configured.write(Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, of(path)])));
      const run = configured.run('config', 'check');
      const warned = run.stderr.split('\n').filter((line) => line.includes('what the other slave needs'));
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(
        warned.map((line) => line.replace(/ \(.*/, '')),
        [
          `warning: catalog: the slave's blob directory ${paths.catalog} is that of main`,
          `warning: third: the slave's blob directory ${paths.third} overlaps that of main`,
          `warning: third: the slave's blob directory ${paths.third} overlaps that of catalog`,
        ],
      );
    }));

  it("warns of a cluster's address that is in no network of its interface, and ends with 0", () =>
    withConfigured(['main'], (configured) => {
      const check = (own: string, address: string): Run => {
        const hosts = `{ ${own}: { address: 192.168.1.11 }, other: { address: 192.168.1.12 } }`;
        configured.write({ main: [] }, [clusterText({ hosts, address, interface: 'lo', 'heartbeat-interface': 'lo' })]);
        return configured.run('config', 'check');
      };
      const warning = /is in no network of lo here \(127\.0\.0\.1\/8.*\): other machines may not reach it$/m;
      const outside = check(hostname(), '192.168.1.10/24');
      assert.equal(outside.exit, 0, outside.all);
      assert.match(outside.stderr, /^warning: the cluster's address 192\.168\.1\.10\/24 /m);
      assert.match(outside.stderr, warning);
      assert.doesNotMatch(check(hostname(), '127.255.0.10/8').stderr, warning);
      assert.doesNotMatch(check('elsewhere', '192.168.1.10/24').stderr, warning, 'its interfaces are not those here');
    }));

  it('says nothing of networks where they are not known: no such interface, or the kernel may not be asked', () =>
    withConfigured(['main'], (configured) => {
      const { directory } = configured;
      const check = (name: string, env: Readonly<Record<string, string>> = {}): Run => {
        const hosts = `{ ${hostname()}: { address: 192.168.1.11 }, other: { address: 192.168.1.12 } }`;
        configured.write({ main: [] }, [clusterText({ hosts, interface: name, 'heartbeat-interface': name })]);
        const run = syncpozo(['config', 'check', '--config', configured.path], { env });
        assertNoCrash(run);
        assert.equal(run.exit, 0, run.all);
        assert.doesNotMatch(run.stderr, /is in no network/);
        return run;
      };
      assert.match(check('constructor').stderr, /no network interface constructor/);
      const forbidden = join(directory, 'forbidden.cjs');
      // As node does it where a unit's RestrictAddressFamilies= lacks AF_NETLINK.
      const thrown = "Object.assign(new Error('uv_interface_addresses returned 97'), { code: 'ERR_SYSTEM_ERROR' })";
      writeFileSync(forbidden, `require('node:os').networkInterfaces = () => { throw ${thrown}; };\n`);
      check('lo', { NODE_OPTIONS: `--require=${forbidden}` });
    }));

  it('warns of paths on the side of the slave, and ends with 0', () =>
    withConfigured(['main'], (configured) => {
      const { directory, path } = configured;
      const program = join(directory, 'program');
      writeFileSync(program, '');
      configured.write(
        { main: ['status-file: /nowhere/status', `blobs: { master: /elsewhere, slave: ${directory}/blobs }`] },
        [
          'watch: { textfile: /nowhere/x.prom }',
          `hooks: { loss: [/nowhere/program], damage: [${program}], in-step: [${process.execPath}] }`,
        ],
      );
      chmodSync(path, 0o666);
      const warned = ({ stderr }: Run): string[] => stderr.trimEnd().split('\n');
      const run = configured.run('config', 'check');
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(warned(run), [
        `warning: main: the slave's blob directory ${directory}/blobs does not exist`,
        'warning: main: the directory of the status file /nowhere/status does not exist',
        `warning: ${path} can be written by every user of this machine, and it names commands and files`,
        'warning: the directory of the text file /nowhere/x.prom does not exist',
        'warning: the program /nowhere/program of the hook loss does not exist',
        `warning: the program ${program} of the hook damage cannot be executed`,
      ]);
      mkdirSync(join(directory, 'blobs'));
      chmodSync(path, 0o644);
      assert.deepEqual(warned(configured.write().run('config', 'check')), ['']);
      writeFileSync(path, 'storages: { main: { master: /m, slave: /nowhere/var } }');
      assert.deepEqual(warned(configured.run('config', 'check')), [
        "warning: main: the slave's directory /nowhere/var does not exist",
      ]);
    }));

  it('reads the file that SYNCPOZO_CONFIG names, and reports one that is missing', () =>
    withConfigured(['main'], ({ path }) => {
      const env = { SYNCPOZO_CONFIG: path };
      assert.match(syncpozo(['config', 'check'], { env }).stdout, /^main: ok, /);
      const missing = syncpozo(['config', 'check', '--config', '/nowhere.yml'], { env });
      assert.deepEqual([missing.exit, missing.stdout], [2, '']);
      assert.match(missing.stderr, /^\/nowhere\.yml: found no file/);
    }));
});

describe('config get', () => {
  const TEXT = `storages:
  main:
    master: /m
    slave: /s
    blobs: { master: /bm, slave: /bs, keep: true }
    scrub: full
  other: { master: /m2/other.fs, slave: /s2, group: site, timeout: 1.5s, chunk-size: 1MiB }
status-file: /common
watch: { listen: '[::1]:9177' }
hooks: { loss: [/bin/echo, two words] }
`;
  const VALUES: Readonly<Record<string, readonly string[] | undefined>> = {
    storages: ['main', 'other'],
    'storages.main': ['master', 'slave', 'blobs', 'status-file', 'scrub', 'timeout', 'keep-packed'],
    'storages.main.slave': ['/s'],
    'storages.main.blobs': ['master', 'slave', 'by', 'as', 'keep'],
    'storages.main.blobs.keep': ['true'],
    'storages.main.blobs.by': ['records'],
    'storages.main.scrub': ['full'],
    'storages.main.timeout': ['30'],
    'storages.main.status-file': ['/common'],
    'storages.main.group': undefined,
    'storages.main.file': undefined,
    'storages.other.blobs': undefined,
    'storages.other.blobs.by': undefined,
    'storages.other.file': ['other.fs'],
    'storages.other.scrub': ['16777216'],
    'storages.other.timeout': ['1.5'],
    'storages.other.chunk-size': ['1048576'],
    'storages.third.slave': undefined,
    'status-file': ['/common'],
    watch: ['interval', 'listen'],
    'watch.interval': ['1'],
    'watch.listen': ['[::1]:9177'],
    'watch.heartbeat': undefined,
    hooks: ['loss', 'timeout'],
    'hooks.loss': ['/bin/echo', 'two words'],
    'hooks.damage': undefined,
  };

  it('prints values for a script, and ends with 1 where nothing is set', () =>
    withTempDir((directory) => {
      const path = join(directory, 'x.yml');
      writeFileSync(path, TEXT);
      for (const [key, expected] of Object.entries(VALUES)) {
        const { exit, stdout, stderr } = syncpozo(['config', 'get', key, '--config', path]);
        const lines = expected?.map((line) => `${line}\n`).join('') ?? '';
        assert.deepEqual([exit, stdout, stderr], [expected ? 0 : 1, lines, ''], key);
      }
    }));

  it('refuses a key that no configuration can have', () => {
    const refused = (key: string, message: RegExp): void => {
      const run = syncpozo(['config', 'get', key, '--config', '/nowhere.yml']);
      assertNoCrash(run);
      assert.deepEqual([run.exit, run.stdout], [2, '']);
      assert.match(run.stderr, message);
    };
    refused('storages.main.slav', /has a key storages\.main\.slav; did you mean storages\.main\.slave\?/);
    refused('storage', /has a key storage; did you mean storages\?/);
    for (const key of [
      '',
      '.',
      'main',
      'storages.main.slave.x',
      'storages.*.x',
      '__proto__',
      'constructor',
      'x'.repeat(10_000),
    ])
      refused(key, /no configuration has a key /);
  });

  it('needs a key, and check takes none', () => {
    assert.match(syncpozo(['config', 'get']).stderr, /missing required argument 'KEY'/);
    assert.match(syncpozo(['config', 'check', 'x']).stderr, /'check' takes no KEY/);
    assert.match(syncpozo(['config', 'get', 'storages', '--json']).stderr, /'--json' is for 'check'/);
    assert.match(syncpozo(['config']).stderr, /missing required argument 'ACTION'/);
    assert.match(syncpozo(['config', 'set']).stderr, /Allowed choices are check, get, shell/);
  });
});
