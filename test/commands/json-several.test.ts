import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run } from '../support/cli.js';
import { type Configured, withConfigured } from '../support/configured.js';
import { parseContract, Sightings } from '../support/json-contract.js';
import { inProject } from '../support/root.js';

const SECTIONS = parseContract(readFileSync(inProject('docs', 'json.md'), 'utf8'));

function sightings(heading: string): Sightings {
  const section = SECTIONS.get(heading);
  assert.ok(section, `docs/json.md has no section ${heading}`);
  return new Sightings(section.fields);
}

const FAILED = ['action', 'exitCode', 'hint', 'reason'];

/** Whether a storage has the object of a command that came to no result. */
function isFailed(object: object): boolean {
  return Object.keys(object).sort().join() === FAILED.join();
}

const HEADINGS: Readonly<Record<string, string>> = {
  on: 'syncpozo on, syncpozo off',
  off: 'syncpozo on, syncpozo off',
};
const several = sightings('Several storages');

/** Runs a command for all storages and holds its JSON against the contract; returns it. */
function see(configured: Configured, command: string, ...args: string[]): Run {
  const run = configured.run(command, '--json', ...args);
  assertNoCrash(run);
  const { storages, exitCode, ...more } = run.json as { storages: Record<string, object>; exitCode: number };
  assert.deepEqual([more, run.exit], [{}, exitCode], run.all);
  const of = sightings(HEADINGS[command] ?? `syncpozo ${command}`);
  const failed = Object.entries(storages).filter(([, object]) => isFailed(object));
  for (const [name, object] of Object.entries(storages)) if (!isFailed(object)) of.add(object, `${command} ${name}`);
  several.add({ storages: Object.fromEntries(failed), exitCode }, command);
  assert.deepEqual([...of.wrong, ...several.wrong], []);
  return run;
}

const COMMANDS = ['sync', 'status', 'verify', 'compare', 'log', 'index', 'off', 'on', 'promote', 'demote'];

describe('the JSON of several storages is the object of the command for each:', () => {
  for (const command of COMMANDS)
    it(command, () =>
      withConfigured(['main', 'catalog'], (configured) => {
        see(configured, 'sync');
        const good = see(configured, command);
        assert.deepEqual(Object.keys(good.json.storages), ['main', 'catalog']);
        assert.equal(good.exit, 0, good.all);
        rmSync(configured.pair('main').slave, { recursive: true });
        configured.write({ main: ['status-file: /nowhere/at/all'] });
        const bad = see(configured, command);
        assert.notEqual(bad.exit, 0, bad.all);
        assert.equal(bad.json.storages.catalog.exitCode ?? 0, 0, bad.all);
        if (command !== 'sync' && command !== 'index') assert.ok(isFailed(bad.json.storages.main), bad.all);
      }),
    );

  it('status with a limit, and what cannot be judged', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      see(configured, 'sync');
      assert.equal(see(configured, 'status', '--max-age', '3600').json.storages.main.check.state, 'OK');
      rmSync(configured.pair('main').slave, { recursive: true });
      assert.equal(see(configured, 'status', '--max-age', '3600').exit, 3);
      writeFileSync(configured.statusFile, 'SYNCING=maybe\n');
      assert.equal(see(configured, 'status').exit, 2);
    }));

  it('and the example', () => {
    const { examples } = SECTIONS.get('Several storages')!;
    const [{ storages, exitCode }] = examples as [{ storages: Record<string, object>; exitCode: number }];
    const failed = Object.entries(storages).filter(([, object]) => isFailed(object));
    several.add({ storages: Object.fromEntries(failed), exitCode }, 'the example');
    assert.deepEqual(several.wrong, []);
    assert.equal(examples.length, 1);
    assert.equal(failed.length, 1);
  });
});
