import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { storagesOf } from '../../src/commands/storages.js';
import { assertNoCrash, syncpozo } from '../support/cli.js';
import { type Configured, withConfigured } from '../support/configured.js';
import { needsMounts, withMounts } from '../support/powers.js';

/** The names of the storages that arguments choose, with the configuration at the default place. */
function chosen({ path }: Configured, args: readonly string[], places: number): readonly string[] | undefined {
  return storagesOf(args, {}, places, path)?.storages.map(({ name }) => name);
}

describe('arguments without --config', () => {
  it('are paths if each of them has a slash or a dot, whatever the configuration says', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      writeFileSync(configured.path, 'no configuration: [');
      for (const args of [['/srv'], ['./main'], ['./main', '/srv'], ['Data.fs'], ['..'], ['']])
        assert.equal(chosen(configured, args, args.length), undefined, args.join(' '));
    }));

  it('are a mistake if one is a storage and another one a path', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      assert.throws(() => chosen(configured, ['main', './b'], 2), /^PathMistake: main is a name, and \.\/b is a path$/);
      assert.equal(chosen(configured, ['master', './b'], 2), undefined);
      const { path } = configured;
      const run = syncpozo(['sync', 'master', './b'], { env: { SYNCPOZO_CONFIG: path } });
      assertNoCrash(run);
      assert.equal(run.exit, 2);
      assert.match(run.stderr, /master is a name, and \.\/b is a path\nhint: for a directory, write \.\/master\n$/);
      const verify = syncpozo(['verify', '--against', 'main'], { env: { SYNCPOZO_CONFIG: path } });
      assert.equal(verify.exit, 2);
      assert.match(verify.stderr, /'--against main' is no path; put '--against' behind the names/);
    }));

  it('are names if the configuration at the default place has one of them', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      assert.deepEqual(chosen(configured, ['main'], 1), ['main']);
      assert.deepEqual(chosen(configured, ['catalog', 'main', 'catalog'], 2), ['catalog', 'main']);
      assert.throws(() => chosen(configured, ['main', 'catalgo'], 2), /has no storage catalgo; it has main, catalog$/);
    }));

  it('are paths if it has none of them, unless their number shows that they are names', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      assert.equal(chosen(configured, ['var'], 1), undefined);
      assert.equal(chosen(configured, ['master', 'slave'], 2), undefined);
      assert.throws(() => chosen(configured, ['mian'], 2), /has no storage mian/);
    }));

  it('are all storages if there are none, and a configuration at the default place', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      assert.deepEqual(chosen(configured, [], 2), ['main', 'catalog']);
      renameSync(configured.path, `${configured.path}.away`);
      assert.equal(chosen(configured, [], 2), undefined);
      assert.equal(chosen(configured, ['main'], 1), undefined);
    }));
});

describe('a configuration at the default place', { skip: needsMounts ?? false }, () => {
  it('is used without an argument and for a name; paths are synced as before, also where it has mistakes', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const { master, slave, statusFile } = configured.pair('main');
      // /var/run as well: a mistake in this test, or in the program, must not switch the syncs of this machine off.
      const through = withMounts(
        `mount -t tmpfs none /var/run && mount -t tmpfs none /etc && cp ${configured.path} /etc/syncpozo.yml`,
      );
      const all = syncpozo(['sync', '--json'], { through });
      assert.deepEqual(Object.keys(all.json.storages), ['main', 'catalog'], all.all);
      assert.equal(all.exit, 0);
      assert.deepEqual(Object.keys(syncpozo(['status', 'main', '--json'], { through }).json.storages), ['main']);
      const off = syncpozo(['off'], { through });
      assert.equal(
        off.stdout,
        ['main', 'catalog'].map((name) => `${name}: SYNCING=0 in ${configured.statusFile}\n`).join(''),
      );
      const broken = withMounts('mount -t tmpfs none /etc && echo nonsense >/etc/syncpozo.yml');
      const byPath = syncpozo(['sync', master, slave, '--json', '--status-file', statusFile], { through: broken });
      assert.deepEqual([byPath.exit, byPath.json.action], [0, 'none'], byPath.all);
      const stopped = syncpozo(['sync'], { through: broken });
      assert.deepEqual([stopped.exit, stopped.stdout], [2, '']);
      assert.match(stopped.stderr, /^\/etc\/syncpozo\.yml:1: found "nonsense", expected a configuration/m);
    }));
});

describe('SYNCPOZO_CONFIG', () => {
  it('names the configuration, for names and for no argument; paths stay paths', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const env = { SYNCPOZO_CONFIG: configured.path };
      const { master, slave, statusFile } = configured.pair('main');
      assert.equal(syncpozo(['sync'], { env }).exit, 0);
      const named = syncpozo(['sync', 'main', '--json'], { env });
      assert.deepEqual(Object.keys(named.json.storages), ['main']);
      const args = ['sync', master, slave, '--json', '--status-file', statusFile];
      const [byPath, without] = [syncpozo(args, { env }), syncpozo(args)];
      assert.deepEqual([byPath.json.action, byPath.exit], ['none', 0]);
      assert.deepEqual(Object.keys(byPath.json), Object.keys(without.json));
      assert.match(syncpozo(['sync', 'mian'], { env }).stderr, /has no storage mian; it has main, catalog\n/);
    }));

  it('that is empty is none, and --config wins', () =>
    withConfigured(['main'], (configured) => {
      assert.match(syncpozo(['sync'], { env: { SYNCPOZO_CONFIG: '' } }).stderr, /there is no \/etc\/syncpozo\.yml/);
      const run = configured.runWith({ env: { SYNCPOZO_CONFIG: '/nowhere.yml' } }, 'sync', '--json');
      assert.equal(run.exit, 0, run.all);
    }));
});

describe('a name that the configuration does not have', () => {
  it('is a usage mistake, which lists those that it has; nothing is done', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const run = configured.run('sync', 'main', 'katalog', '--json');
      assertNoCrash(run);
      assert.deepEqual([run.exit, run.stdout], [2, '']);
      assert.equal(
        run.stderr,
        `syncpozo: ${configured.path} has no storage katalog; it has main, catalog\nhint: a path has a slash, as ./katalog\n`,
      );
      const path = configured.run('sync', '/mnt', '/srv');
      assert.match(path.stderr, /has no storage \/mnt; .*\nhint: without --config, it is a path\n/);
    }));
});

describe('without an argument and without a configuration', () => {
  for (const command of ['sync', 'status', 'verify', 'promote', 'demote', 'log', 'index', 'compare'])
    it(`${command} asks for its paths or a configuration`, () => {
      const run = syncpozo([command]);
      assertNoCrash(run);
      assert.deepEqual([run.exit, run.stdout], [2, '']);
      assert.match(
        run.stderr,
        /^error: missing required argument '\w+', and there is no \/etc\/syncpozo\.yml\nhint: give /,
      );
    });
});

describe('an option of the command line wins over the configuration:', () => {
  it('--status-file', () =>
    withConfigured(['main'], (configured) => {
      writeFileSync(configured.statusFile, 'SYNCING=0\n');
      assert.equal(configured.run('sync', '--json').json.storages.main.action, 'off');
      const other = join(configured.directory, 'other');
      assert.equal(configured.run('sync', '--json', '--status-file', other).json.storages.main.action, 'full');
    }));

  it('SYNCPOZO_STATUS does not, and applies where the configuration names no status file', () =>
    withConfigured(['main'], (configured) => {
      const off = join(configured.directory, 'off');
      writeFileSync(off, 'SYNCING=0\n');
      const env = { SYNCPOZO_STATUS: off };
      assert.equal(configured.runWith({ env }, 'sync', '--json').json.storages.main.action, 'full');
      writeFileSync(configured.path, readFileSync(configured.path, 'utf8').replace(/^status-file.*$/m, ''));
      assert.equal(configured.runWith({ env }, 'sync', '--json').json.storages.main.action, 'off');
    }));

  it('--scrub and --chunk-size', () =>
    withConfigured(['main'], (configured) => {
      configured.write({ main: ['scrub: full', 'chunk-size: 100B'] });
      assert.ok(configured.run('sync', '--json').json.storages.main.copied.chunks > 1);
      const scrubbed = (...args: string[]): number =>
        configured.run('sync', '--json', ...args).json.storages.main.scrubbed.bytes;
      assert.ok(scrubbed() > 0);
      assert.equal(scrubbed('--scrub', '0'), 0);
      configured.pair('main').site.pack();
      assert.equal(configured.run('sync', '--json', '--chunk-size', '1MiB').json.storages.main.copied.chunks, 1);
    }));

  it('--blobs and its options', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const [theirs, ours, none] = ['theirs', 'ours', 'none'].map((name) => join(configured.directory, name));
      for (const directory of [theirs, ours]) mkdirSync(directory!);
      configured.write({ main: [`blobs: { master: ${none}, slave: ${ours} }`] });
      const sync = (...args: string[]) => configured.run('sync', ...args, '--json');
      assert.match(sync('main').json.storages.main.reason, /none/);
      assert.equal(sync('main', '--blobs', `${theirs}:${ours}`).exit, 0);
      assert.equal(sync('--no-blobs').exit, 0);
      assert.equal(configured.run('verify', '--no-blobs').exit, 0);
      assert.deepEqual(sync('main', '--no-blobs').json.storages.main.blobs, null);
      assert.match(
        sync('--blobs', `${theirs}:${ours}`).stderr,
        /^error: option '--blobs' is for one storage, and this is for 2$/m,
      );
      assert.match(sync('catalog', '--keep-blobs').stderr, /'--keep-blobs' is of no use without '--blobs'/);
    }));

  it('--file, which is for one storage', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const { master } = configured.pair('main');
      renameSync(join(master, 'Data.fs'), join(master, 'x.fs'));
      assert.equal(configured.run('sync', 'main', '--file', 'x.fs', '--json').exit, 0);
      assert.match(configured.run('sync', '--file', 'x.fs').stderr, /'--file' is for one storage, and this is for 2/);
    }));

  it('--timeout of a storage whose file sets another', () =>
    withConfigured(['main'], (configured) => {
      configured.write({ main: ['timeout: 7s'] });
      assert.equal(configured.run('config', 'get', 'storages.main.timeout').stdout, '7\n');
      assert.equal(configured.run('sync', '--timeout', '3', '--json').exit, 0);
    }));
});
