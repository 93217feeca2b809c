import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run, Running } from '../support/cli.js';
import { type Configured, withConfigured } from '../support/configured.js';
import { eventually } from '../support/eventually.js';
import { untilInStep, watching } from './watching.js';

/** Several intervals of the watches here. */
const A_WHILE_MS = 1500;

/** Runs a watch of the storage `main` whose hooks of these events are the text, run by a shell. */
function hooked(
  configured: Configured,
  events: readonly string[],
  text: string,
  use: (watch: Running) => Promise<void>,
): Promise<Run> {
  const path = join(configured.directory, 'hook');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  configured.write({}, ['hooks:', ...events.map((event) => `  ${event}: [${path}]`)]);
  const args = ['watch', '--config', configured.path, '--interval', '200ms'];
  return watching(configured.pair('main'), use, { args });
}

describe('the hooks of a watch', () => {
  it('get a refusal once, however many rounds are refused, and the end of it', () =>
    withConfigured(['main'], async (configured) => {
      const pair = configured.pair('main');
      const calls = join(configured.directory, 'calls');
      const called = (): string[] => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').slice(0, -1) : []);
      const run = await hooked(configured, ['refusal', 'fork', 'in-step'], `cat >>'${calls}'`, async () => {
        await untilInStep(pair);
        const before = readFileSync(pair.slaveFile);
        pair.commitToSlave('only here');
        await eventually('the hook of the refusal runs', () => called().length > 0);
        await sleep(A_WHILE_MS);
        assert.equal(called().length, 1);
        writeFileSync(pair.slaveFile, before);
        await eventually('the hook of the end runs', () => called().length > 1);
        pair.commit('and on');
        await untilInStep(pair);
      });
      const [refusal, end, ...more] = called().map((line) => JSON.parse(line));
      assert.deepEqual(more, []);
      const { name, storage, slave, facts } = refusal;
      assert.deepEqual([name, storage, slave], ['refusal', 'main', pair.slaveFile]);
      assert.deepEqual([facts.exitCode, facts.kind, facts.master], [3, 'refused', pair.masterFile]);
      assert.match(facts.reason, /has grown since last syncing/);
      assert.equal(typeof facts.hint, 'string');
      assert.deepEqual([end.name, end.storage, end.facts.since], ['in-step', 'main', facts.since]);
      const logged = run.records.flatMap(({ event }) => event ?? []);
      assert.deepEqual(logged, ['refusal', 'in-step'], run.all);
      assert.equal(run.records.filter(({ hook }) => hook !== undefined).length, 2, run.all);
    }));

  it('do not keep it from ending, and go on by themselves', () =>
    withConfigured(['main'], async (configured) => {
      const pair = configured.pair('main');
      const [begun, ended] = ['begun', 'ended'].map((name) => join(configured.directory, name));
      let signalledAt = 0;
      await hooked(configured, ['refusal'], `: >'${begun}'; sleep 8; : >'${ended}'`, async () => {
        await untilInStep(pair);
        pair.commitToSlave('only here');
        await eventually('the hook runs', () => existsSync(begun!));
        signalledAt = Date.now();
      });
      assert.ok(Date.now() - signalledAt < 6000, 'before the hook');
      assert.equal(existsSync(ended!), false);
      await eventually('the hook ends', () => existsSync(ended!));
    }));

  it('that fail are reported, and the rounds go on', () =>
    withConfigured(['main'], async (configured) => {
      const pair = configured.pair('main');
      const run = await hooked(configured, ['rebuild'], 'echo no; exit 7', async (watch) => {
        await untilInStep(pair);
        pair.site.pack();
        const isReported = (): boolean => watch.soFar.records.some(({ hook }) => hook === 'rebuild');
        await eventually('the hook has failed', isReported);
        pair.commit('and on');
        await untilInStep(pair);
      });
      const report = run.records.find(({ hook }) => hook === 'rebuild');
      assert.deepEqual([report?.level, report?.['output']], ['warn', 'no\n'], run.all);
      assert.match(report?.msg ?? '', /the hook rebuild ended with 7/);
    }));
});
