import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pause } from '../../src/pipeline/read-deadline.js';
import { worstExit } from '../../src/report/worst-exit.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { type Configured, withConfigured } from '../support/configured.js';
import { breakRule, flip } from '../support/json-damage.js';

const THREE = ['main', 'catalog', 'sessions'];

/** The exit statuses in the JSON, by storage. */
function statuses({ json }: Run): Record<string, number> {
  const storages: Record<string, { exitCode: number }> = json.storages;
  return Object.fromEntries(Object.entries(storages).map(([name, { exitCode }]) => [name, exitCode]));
}

const switchAt = (path: string): string => readFileSync(path, 'utf8');

describe('a sync of three storages', () => {
  it('brings each in step, and logs the name of each', () =>
    withConfigured(THREE, (configured) => {
      const run = configured.run('sync', '--json');
      assertNoCrash(run);
      assert.deepEqual([run.exit, run.json.exitCode, statuses(run)], [0, 0, { main: 0, catalog: 0, sessions: 0 }]);
      for (const pair of configured.pairs.values()) pair.assertInStep();
      assert.ok(run.records.length >= 9);
      for (const record of run.records) assert.ok(THREE.includes(String(record['storage'])), JSON.stringify(record));
      const started = run.records.filter(({ msg }) => msg === 'Start syncing');
      assert.deepEqual(
        started.map((record) => record['storage']),
        THREE,
      );
      const quiet = configured.run('sync', '--quiet');
      assert.deepEqual([quiet.exit, quiet.stdout, quiet.stderr], [0, '', '']);
    }));

  it('of which two lead to one slave through a symbolic link, is a mistake', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const [main, catalog] = [configured.pair('main'), configured.pair('catalog')];
      rmSync(catalog.slave, { recursive: true });
      symlinkSync(main.slave, catalog.slave);
      for (const args of [['sync'], ['sync', '--together'], ['watch']]) {
        const [command = '', ...options] = args;
        const run = configured.run(command, ...options);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, /main and catalog have the same slave, \S+Data\.fs\nhint: correct \S+syncpozo\.yml/);
      }
      assert.ok(!existsSync(main.slaveFile), 'nothing is synced');
      assert.equal(configured.run('sync', 'main').exit, 0);
    }));

  it('of which one is damaged and one out of reach: the third is in step, the status is the worst, the JSON names each', () =>
    withConfigured(THREE, (configured) => {
      assert.equal(configured.run('sync').exit, 0);
      for (const pair of configured.pairs.values()) pair.commit('the next page', 'and one more');
      const { masterFile } = configured.pair('catalog');
      renameSync(masterFile, `${masterFile}.away`);
      breakRule(configured.pair('main').masterFile, 'trailer');
      const run = configured.run('sync', '--json');
      assertNoCrash(run);
      assert.deepEqual(statuses(run), { main: 4, catalog: 1, sessions: 0 });
      assert.deepEqual([run.exit, run.json.exitCode], [4, 4]);
      const { main, catalog, sessions } = run.json.storages;
      assert.ok(main.damage.position > 0);
      assert.match(catalog.reason, /out of reach/);
      assert.equal(sessions.action, 'append');
      configured.pair('sessions').assertInStep();
      const errors = run.records.filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map((record) => record['storage']),
        ['main', 'catalog'],
      );
    }));

  it('leaves the same files as a sync of paths', () =>
    withConfigured(['main'], (configured) => {
      configured.run('sync');
      const { slaveFile, dat } = configured.pair('main');
      const files = [slaveFile, `${slaveFile}.index`];
      const before = files.map((file) => readFileSync(file));
      for (const file of [dat, ...files]) rmSync(file);
      configured.pair('main').synced();
      for (const [index, file] of files.entries()) assert.ok(readFileSync(file).equals(before[index]!), file);
    }));

  it('begins no further one after SIGTERM', () =>
    withConfigured(['main', 'catalog'], async (configured) => {
      // A master that is missing is looked for again, for a second: the signal comes in that time.
      rmSync(configured.pair('main').masterFile);
      const log = join(configured.directory, 'log');
      const running = configured.start('sync', '--json', '--log-file', log);
      while (!running.ended && !(existsSync(log) && readFileSync(log, 'utf8').includes('Start syncing')))
        await pause(5);
      running.signal('SIGTERM');
      const run = await running.end();
      assertNoCrash(run);
      assert.equal(run.exit, 1, run.all);
      const { main, catalog } = run.json.storages;
      assert.equal(main.reason, 'interrupted by a signal');
      const reason = 'interrupted by a signal';
      assert.deepEqual(catalog, { action: 'failed', reason, hint: null, exitCode: 1 });
      assert.equal(run.stderr, 'syncpozo: catalog: interrupted by a signal\n');
      assert.ok(!readFileSync(log, 'utf8').includes('"catalog"'));
    }));
});

describe('the worst exit status', () => {
  it('is 4 before 3, 5, 2, 1 and 0', () => {
    const order = [4, 3, 5, 2, 1, 0];
    for (const [index, code] of order.entries()) assert.equal(worstExit(order.slice(index).toReversed()), code);
    assert.equal(worstExit([]), 0);
  });
});

describe('the switch', () => {
  const withOwn = (use: (configured: Configured, own: string) => void) =>
    withConfigured(THREE, (configured) => {
      const own = join(configured.directory, 'own');
      configured.write({ sessions: [`status-file: ${own}`] });
      use(configured, own);
    });

  it('of a storage with its own status file stops that storage alone', () =>
    withOwn((configured, own) => {
      const off = configured.run('off', 'sessions');
      assert.deepEqual([off.exit, off.stdout], [0, `sessions: SYNCING=0 in ${own}\n`]);
      assert.ok(!existsSync(configured.statusFile));
      const actions = Object.values<{ action: string }>(configured.run('sync', '--json').json.storages);
      assert.deepEqual(
        actions.map(({ action }) => action),
        ['full', 'full', 'off'],
      );
    }));

  it('of a status file that several name stops them all, and says so', () =>
    withOwn((configured, own) => {
      const off = configured.run('off', 'main');
      assert.equal(off.stdout, `main: SYNCING=0 in ${configured.statusFile}, which is the switch of catalog as well\n`);
      assert.ok(!existsSync(own));
      const { main, catalog, sessions } = configured.run('sync', '--json').json.storages;
      assert.deepEqual([main.action, catalog.action, sessions.action], ['off', 'off', 'full']);
    }));

  it('of all storages is written in each file', () =>
    withOwn((configured, own) => {
      assert.equal(configured.run('off').exit, 0);
      assert.deepEqual([switchAt(configured.statusFile), switchAt(own)], ['SYNCING=0\n', 'SYNCING=0\n']);
      const on = configured.run('on', '--json');
      assert.deepEqual(on.json, {
        storages: {
          main: { statusFile: configured.statusFile, syncing: true },
          catalog: { statusFile: configured.statusFile, syncing: true },
          sessions: { statusFile: own, syncing: true },
        },
        exitCode: 0,
      });
    }));

  it('that cannot be written leaves the others written', () =>
    withOwn((configured) => {
      configured.write({ main: ['status-file: /nowhere/at/all'] });
      const run = configured.run('off', '--json');
      assertNoCrash(run);
      assert.equal(run.exit, 1);
      assert.equal(run.json.storages.main.action, 'failed');
      assert.match(run.stderr, /^syncpozo: main: open \/nowhere\/at\/all/);
      assert.equal(switchAt(configured.statusFile), 'SYNCING=0\n');
    }));

  it('with --status-file and no name is that file, as without a configuration', () =>
    withConfigured(['main'], (configured) => {
      const path = join(configured.directory, 'other');
      const env = { SYNCPOZO_CONFIG: configured.path };
      assert.equal(syncpozo(['off', '--status-file', path], { env }).stdout, `SYNCING=0 in ${path}\n`);
      assert.ok(!existsSync(configured.statusFile));
    }));
});

describe('status of several storages', () => {
  it('probes each master, names each storage, and reports one that cannot be read', () =>
    withConfigured(THREE, (configured) => {
      configured.run('sync');
      configured.pair('main').commit('more');
      rmSync(configured.pair('catalog').slave, { recursive: true });
      const run = configured.run('status', '--json');
      assertNoCrash(run);
      const { main, catalog, sessions } = run.json.storages;
      assert.deepEqual([main.state, main.lag.transactions, sessions.state], ['behind', 1, 'in-step']);
      assert.equal(catalog.action, 'failed');
      assert.deepEqual([run.exit, run.json.exitCode, catalog.exitCode], [2, 2, 2]);
      assert.match(run.stderr, /^syncpozo: catalog: the slave's directory \S+ does not exist\nhint: /);
      const text = configured.run('status');
      assert.match(text.stdout, /^main:\nslave: [\s\S]*^sessions:\nslave: /m);
    }));

  it('is one check for a monitor: the worst state, every storage in one line', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      configured.run('sync');
      const check = (...args: string[]): Run =>
        configured.run('status', '--max-age', '3600', '--max-lag', '60', ...args);
      const ok = check();
      assert.equal(ok.exit, 0);
      assert.match(ok.stdout, /^SYNCPOZO OK - main: .*; catalog: .*\|main_lag=0s;;60;0 .*catalog_age=\d+s;;3600;0/);
      rmSync(configured.pair('catalog').slave, { recursive: true });
      const unknown = check();
      assert.deepEqual([unknown.exit, unknown.stderr], [3, '']);
      assert.match(unknown.stdout, /^SYNCPOZO UNKNOWN - catalog: the slave's directory .* does not exist; main: /);
      writeFileSync(configured.pair('main').dat, '');
      const critical = check('--json');
      assert.deepEqual(
        [critical.exit, critical.json.exitCode, critical.json.storages.main.check.state],
        [2, 2, 'CRITICAL'],
      );
    }));

  it('has figures of all in one text, each metric once', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      configured.run('sync');
      const file = join(configured.directory, 'x.prom');
      const { exit, stdout } = configured.run('status', '--prometheus', '--output', file);
      assert.deepEqual([exit, stdout], [0, '']);
      const text = readFileSync(file, 'utf8');
      const types = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
      assert.equal(new Set(types).size, types.length);
      const lags = [...text.matchAll(/^syncpozo_lag_seconds\{slave="(.*?)",storage="(.*?)"\} 0$/gm)].map(
        ([, path, name]) => [name, path],
      );
      assert.deepEqual(
        lags,
        [...configured.pairs].map(([name, { slaveFile }]) => [name, slaveFile]),
      );
    }));
});

describe('a takeover of several storages', () => {
  it('promotes each, which catches up with its master first, and the way back', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      configured.run('sync');
      configured.pair('catalog').commit('not synced yet');
      const run = configured.run('promote', '--json', '--patience', '30', '--catch-up', '60');
      assertNoCrash(run);
      const { main, catalog } = run.json.storages;
      assert.deepEqual([run.exit, main.promoted, catalog.promoted], [0, true, true]);
      assert.deepEqual([main.loss.possible, catalog.loss.possible, catalog.caughtUp.transactions], [false, false, 1]);
      assert.equal(switchAt(configured.statusFile), 'SYNCING=0\n');
      assert.match(configured.run('promote').stdout, /^main:\n\S+ is promoted already[\s\S]*^catalog:\n/m);
      const demoted = configured.run('demote');
      assert.match(demoted.stdout, /^main:\n\S+ is a slave again\nthe switch is off: 'syncpozo on main' lets/);
      assert.equal(configured.run('on').exit, 0);
      assert.equal(configured.run('sync', '--json').exit, 0);
    }));

  it('goes on behind one that is refused', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      configured.run('sync', 'catalog');
      const run = configured.run('promote');
      assertNoCrash(run);
      assert.equal(run.exit, 3, run.all);
      assert.match(run.stderr, /^main:\n.*missing or empty/m);
      assert.match(run.stdout, /^catalog:\n/);
      assert.equal(configured.run('status', 'catalog', '--json').json.storages.catalog.role, 'promoted');
    }));
});

describe('verify, compare, log and index of storages', () => {
  it('read the files of the slaves, with their masters where that was asked for', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      configured.run('sync', '--chunk-size', '100B');
      const good = configured.run('verify', '--against', '--json');
      assert.equal(good.exit, 0, good.all);
      assert.equal(good.json.storages.catalog.against.path, configured.pair('catalog').masterFile);
      assert.equal(configured.run('compare', '--json').json.storages.main.lineage, 'equal');
      const log = configured.run('log', '-n', '1');
      assert.match(log.stdout, /^main: [0-9a-f]{16} .*\ncatalog: [0-9a-f]{16} .*\n$/);
      rmSync(`${configured.pair('main').slaveFile}.index`);
      const actions = Object.values<{ action: string }>(configured.run('index', '--json').json.storages);
      assert.deepEqual(
        actions.map(({ action }) => action),
        ['built', 'none'],
      );
      flip(configured.pair('catalog').slaveFile, 'the first page');
      const bad = configured.run('verify');
      assert.equal(bad.exit, 4);
      assert.match(bad.stdout, /^main:\n[\s\S]*^catalog:\n[\s\S]*problem/m);
    }));

  it('refuse a MASTER where there are several', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const { master } = configured.pair('main');
      assert.match(configured.run('verify', '--against', master).stderr, /takes no MASTER where several/);
      assert.match(syncpozo(['verify', master, '--against']).stderr, /'--against <MASTER>' argument missing/);
      assert.match(configured.run('status', '--master', master).stderr, /'--master' is for one storage/);
    }));

  it('find the file of a slave that has the name of its master', () =>
    withConfigured(['main'], (configured) => {
      const { master, slave } = configured.pair('main');
      renameSync(join(master, 'Data.fs'), join(master, 'catalog.fs'));
      writeFileSync(configured.path, readFileSync(configured.path, 'utf8').replace(master, join(master, 'catalog.fs')));
      assert.equal(configured.run('sync').exit, 0);
      for (const command of ['log', 'verify', 'index', 'status', 'compare', 'promote', 'demote']) {
        const run = configured.run(command, '--json');
        assert.equal(run.exit, 0, `${command}: ${run.all}`);
      }
      assert.equal(configured.run('log', '--json').json.storages.main.path, join(slave, 'catalog.fs'));
    }));
});
