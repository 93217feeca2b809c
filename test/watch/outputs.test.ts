import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogRecord, Running } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { eventually } from '../support/eventually.js';
import { parseContract, Sightings } from '../support/json-contract.js';
import { promtool } from '../support/monitor-tools.js';
import { withPair } from '../support/pair.js';
import { inProject } from '../support/root.js';
import { Asked } from './asking.js';
import { untilInStep, watchArgs, watching } from './watching.js';

const SECTIONS = parseContract(readFileSync(inProject('docs', 'json.md'), 'utf8'));
const SERVED = 'figures and the status page are served';

function recordsOf(path: string): LogRecord[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

const messagesOf = (path: string): string[] => recordsOf(path).map(({ msg }) => msg);

describe('the textfile of a watch', () => {
  it('has the figures of all storages; the option wins over the configuration', () =>
    withConfigured(['main', 'other'], async (configured) => {
      const [file, unused] = ['figures.prom', 'unused.prom'].map((name) => join(configured.directory, name));
      configured.write({}, ['watch:', `  textfile: ${unused}`]);
      const args = ['watch', '--config', configured.path, '--interval', '200ms', '--textfile', file!];
      await watching(configured.pair('main'), () => eventually('it is there', () => existsSync(file!)), { args });
      const text = readFileSync(file!, 'utf8');
      for (const name of ['main', 'other'])
        assert.match(text, new RegExp(`^syncpozo_rounds_total\\{[^}]*storage="${name}"[^}]*\\} [1-9]`, 'm'));
      assert.equal(statSync(file!).mode & 0o777, 0o644);
      assert.equal(existsSync(unused!), false);
      if (promtool.skip === false) assert.equal(promtool.run(['check', 'metrics'], text).status, 0);
    }));

  it('that cannot be written is reported once, and the rounds go on', () =>
    withPair(async (pair) => {
      const file = join(pair.directory, 'nowhere', 'figures.prom');
      const run = await watching(
        pair,
        async (watch) => {
          const isReported = (): boolean => watch.soFar.records.some(({ level }) => level === 'error');
          await eventually('it is reported', isReported);
          pair.commit('and on');
          await untilInStep(pair);
        },
        { args: [...watchArgs(pair), '--textfile', file] },
      );
      const [error, ...more] = run.records.filter(({ level }) => level === 'error');
      assert.deepEqual(more, []);
      assert.match(String(error?.msg), /nowhere.*no such file or directory/);
      assert.match(String(error?.['hint']), /figures\.prom/);
    }));
});

describe('what a watch listens on', () => {
  it('is nothing with --no-listen, whatever the configuration says', () =>
    withConfigured(['main'], async (configured) => {
      configured.write({}, ['watch: { listen: "127.0.0.1:0" }']);
      const args = ['watch', '--config', configured.path];
      const pair = configured.pair('main');
      const silent = await watching(pair, () => untilInStep(pair), { args: [...args, '--no-listen'] });
      assert.deepEqual(
        silent.records.filter(({ msg }) => msg === SERVED),
        [],
      );
      const served = await watching(pair, async (watch) => void (await Asked.of(watch)), { args });
      assert.equal(served.records.filter(({ msg }) => msg === SERVED).length, 1);
    }));

  it('must be free: a second watch ends with 1, and has synced nothing', () =>
    withPair((first) =>
      withPair(async (second) => {
        await watching(
          first,
          async (watch) => {
            await Asked.of(watch);
            const address = String(watch.soFar.records.find(({ msg }) => msg === SERVED)?.['address']);
            const run = await Running.start([...watchArgs(second), '--listen', address]).end();
            assert.equal(run.exit, 1, run.all);
            assert.match(run.stderr, new RegExp(`listen on ${address}: the address is in use`));
            assert.match(run.stderr, /^hint: another watch or another program listens there/m);
            assert.equal(existsSync(second.slaveFile), false);
          },
          { args: [...watchArgs(first), '--listen', '127.0.0.1:0'] },
        );
      }),
    ));
});

describe('the log file of a watch', () => {
  it('is opened again at SIGHUP: what follows is in the new one, and nothing is lost', () =>
    withPair(async (pair) => {
      const log = join(pair.directory, 'log', 'watch.log');
      mkdirSync(dirname(log));
      const args = [...watchArgs(pair), '--log-file', log, '--log-level', 'debug'];
      const rounds = (path: string): number => messagesOf(path).filter((msg) => msg === 'Finished syncing').length;
      const run = await watching(
        pair,
        async (watch) => {
          await untilInStep(pair);
          for (let times = 1; times <= 3; times++) {
            renameSync(log, `${log}.${times}`);
            pair.commit(`into the old one ${times}`);
            await untilInStep(pair);
            const before = rounds(`${log}.${times}`);
            watch.signal('SIGHUP');
            await eventually('the new one is there', () => existsSync(log));
            pair.commit(`into the new one ${times}`);
            await eventually('a round is in the new one', () => rounds(log) > 0);
            assert.ok(rounds(`${log}.${times}`) - before <= 1);
          }
          renameSync(dirname(log), `${dirname(log)}.away`);
          watch.signal('SIGHUP');
          const away = join(`${dirname(log)}.away`, 'watch.log');
          const fault = (): LogRecord | undefined =>
            recordsOf(away).find(({ msg }) => msg === 'the log file cannot be opened again');
          await eventually('it goes on in the old one', () => fault() !== undefined);
          assert.match(String(fault()?.['hint']), /send HUP again/);
          renameSync(dirname(away), dirname(log));
        },
        { args },
      );
      assert.equal(run.stderr, '');
      assert.equal(messagesOf(log).at(-1), 'ended by a signal');
    }));
});

describe('the JSON of a watch', () => {
  const sync = SECTIONS.get('syncpozo sync');
  const watch = SECTIONS.get('syncpozo watch');
  assert.ok(sync && watch);

  it('is the object of a sync for each round, and none for a check that finds nothing new', () =>
    withPair(async (pair) => {
      const run = await watching(pair, async () => {
        await untilInStep(pair);
        pair.commit('more');
        await untilInStep(pair);
        await sleep(1500);
      });
      const lines = run.stdout.split('\n').slice(0, -1);
      const sightings = new Sightings(sync.fields);
      for (const line of lines) sightings.add(JSON.parse(line), line);
      assert.deepEqual(sightings.wrong, []);
      const actions = lines.map((line) => JSON.parse(line).action);
      assert.equal(actions[0], 'full');
      assert.ok(actions.includes('append'), run.stdout);
      assert.ok(actions.length <= 4, run.stdout);
    }));

  it('does not end it where it cannot be printed', () =>
    withPair(async (pair) => {
      const run = await watching(
        pair,
        async () => {
          for (let n = 0; n < 3; n++) {
            pair.commit(`commit ${n}`);
            await untilInStep(pair);
          }
        },
        { through: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'] },
      );
      const errors = run.records.filter(({ level }) => level === 'error').map(({ msg }) => msg);
      assert.deepEqual(errors, ['write to standard output: no space left on device (ENOSPC)'], run.all);
    }));

  it('names the storage of a configuration', () =>
    withConfigured(['main', 'other'], async (configured) => {
      const other = configured.pair('other');
      rmSync(other.masterFile);
      const args = ['watch', '--config', configured.path, '--interval', '200ms', '--json'];
      const run = await watching(
        configured.pair('main'),
        async (watch) => {
          const named = (name: string): boolean => watch.soFar.stdout.includes(`"storage":"${name}"`);
          await eventually('both', () => named('main') && named('other'));
        },
        { args },
      );
      const sightings = new Sightings(new Map([...sync.fields, ...watch.fields]));
      const objects = run.stdout.split('\n').slice(0, -1);
      for (const line of objects) sightings.add(JSON.parse(line), line);
      for (const example of watch.examples) sightings.add(example, 'the example');
      assert.deepEqual(sightings.wrong, []);
      const exits = new Map(
        objects.map((line) => JSON.parse(line)).map(({ storage, exitCode }) => [storage, exitCode]),
      );
      assert.deepEqual(
        [...exits].sort(),
        [
          ['main', 0],
          ['other', 1],
        ],
        run.all,
      );
    }));
});
