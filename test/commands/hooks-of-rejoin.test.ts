import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Run, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';

/** A configuration for the old master of a takeover, with hooks that are shell scripts with this text. */
function configure(pair: Pair, hooks: Readonly<Record<string, string>>, more: readonly string[] = []): string {
  const lines = Object.entries(hooks).map(([name, text]) => {
    const script = join(pair.directory, `${name}.sh`);
    writeFileSync(script, `#!/bin/sh\n${text}\n`);
    chmodSync(script, 0o755);
    return `  ${name}: [${script}]`;
  });
  const path = join(pair.directory, 'syncpozo.yml');
  const storage = `{ master: ${pair.slaveFile}, slave: ${pair.masterFile}, status-file: ${pair.statusFile} }`;
  writeFileSync(path, ['storages:', `  main: ${storage}`, 'hooks:', ...more, ...lines, ''].join('\n'));
  return path;
}

function takenOver(pair: Pair): void {
  pair.synced();
  promote(pair);
  pair.commit('lost');
  pair.site.close();
  pair.commitToSlave('served');
}

function rejoin(config: string, ...more: string[]): Run {
  return syncpozo(['rejoin', '--config', config, '--yes', '--json', ...more]);
}

/** All in both directories but the lock: every byte, owner and time. */
function both(pair: Pair): string[][] {
  const files = (directory: string): string[] =>
    listing(directory, { locks: true }).filter((line) => !line.startsWith('file Data.fs.lock '));
  return [files(pair.master), files(pair.slave)];
}

function assertVetoed(pair: Pair, config: string, reason: RegExp): void {
  const [before, status] = [both(pair), readFileSync(pair.statusFile, 'utf8')];
  const run = rejoin(config);
  assert.equal(run.exit, 3, run.all);
  const ended = run.json.storages.main;
  assert.deepEqual([ended.action, ended.exitCode], ['refused', 3]);
  assert.match(ended.reason, reason);
  assert.match(ended.hint, /--skip-hooks/);
  assert.deepEqual(both(pair), before, 'not one byte is changed');
  assert.equal(readFileSync(pair.statusFile, 'utf8'), status);
}

describe('the hooks of a rejoin', () => {
  it('before-rejoin may forbid it before anything is changed, and --skip-hooks goes on', () =>
    withPair((pair) => {
      takenOver(pair);
      const config = configure(pair, { 'before-rejoin': 'echo no space for a snapshot\nexit 7' });
      assertVetoed(pair, config, /^the hook before-rejoin .*7.*no space for a snapshot/);
      const run = rejoin(config, '--skip-hooks');
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.storages.main.action, 'rewind');
      assert.ok(readFileSync(pair.masterFile).equals(readFileSync(pair.slaveFile)));
    }));

  it('before-rejoin that takes too long forbids it, and so does one that cannot be started', () =>
    withPair((pair) => {
      takenOver(pair);
      const slow = configure(pair, { 'before-rejoin': 'exec sleep 60' }, ['  timeout: 1s']);
      assertVetoed(pair, slow, /^the hook before-rejoin .*1 s/);
      const missing = configure(pair, { 'before-rejoin': 'exit 0' });
      chmodSync(join(pair.directory, 'before-rejoin.sh'), 0o644);
      assertVetoed(pair, missing, /^the hook before-rejoin /);
    }));

  it('before-rejoin gets the facts, and is not asked where there is nothing to do; rejoined and lost get the events', () =>
    withPair(async (pair) => {
      takenOver(pair);
      const at = (name: string): string => join(pair.directory, name);
      const taking = (name: string): string => `cat >${at(`${name}.tmp`)}; mv ${at(`${name}.tmp`)} ${at(name)}`;
      const config = configure(pair, {
        'before-rejoin': `cat >>${at('before')}`,
        rejoined: taking('rejoined'),
        lost: taking('lost'),
      });
      const run = rejoin(config);
      assert.equal(run.exit, 0, run.all);
      const { slave, ...facts } = JSON.parse(readFileSync(at('before'), 'utf8'));
      assert.equal(slave, pair.masterFile);
      assert.match(JSON.stringify(facts), /"lostTransactions":1\b.*"action":"rewind"/);
      await eventually('the hooks have run', () => existsSync(at('rejoined')) && existsSync(at('lost')));
      for (const name of ['rejoined', 'lost']) {
        const event = JSON.parse(readFileSync(at(name), 'utf8'));
        assert.deepEqual([event.event ?? event.name, event.storage, event.slave], [name, 'main', pair.masterFile]);
      }
      // A slave already: there is nothing to forbid.
      const asked = readFileSync(at('before'), 'utf8');
      assert.equal(rejoin(config).json.storages.main.action, 'none');
      assert.equal(readFileSync(at('before'), 'utf8'), asked);
    }));
});
