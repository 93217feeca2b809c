import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Run, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type Pair, withPair } from '../support/pair.js';

/** A configuration of the pair with hooks that are shell scripts with this text. */
function configure(pair: Pair, hooks: Readonly<Record<string, string>>): string {
  const lines = Object.entries(hooks).map(([name, text]) => {
    const script = join(pair.directory, `${name}.sh`);
    writeFileSync(script, `#!/bin/sh\n${text}\n`);
    chmodSync(script, 0o755);
    return `  ${name}: [${script}]`;
  });
  const path = join(pair.directory, 'syncpozo.yml');
  const storage = `{ master: ${pair.masterFile}, slave: ${pair.slaveFile}, status-file: ${pair.statusFile} }`;
  writeFileSync(path, `storages:\n  main: ${storage}\nhooks:\n${lines.join('\n')}\n`);
  return path;
}

function promote(config: string, ...more: string[]): Run {
  return syncpozo(['promote', '--config', config, '--json', ...more]);
}

describe('the hooks of a promotion', () => {
  it('before-promote may forbid it, says why, and --skip-hooks goes on', () =>
    withPair((pair) => {
      pair.synced();
      const config = configure(pair, { 'before-promote': 'echo the other site still answers\nexit 7' });
      const vetoed = pair.unchanged(() => promote(config));
      assert.equal(vetoed.exit, 3, vetoed.all);
      const { promoted, reason, hint } = vetoed.json.storages.main;
      assert.equal(promoted, false);
      assert.match(reason, /^the hook before-promote .*7.*the other site still answers/);
      assert.match(hint, /--skip-hooks/);
      const run = promote(config, '--skip-hooks');
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.storages.main.promoted, true);
    }));

  it('before-promote gets the facts; promoted is started with the event on standard input', () =>
    withPair(async (pair) => {
      pair.synced();
      const at = (name: string): string => join(pair.directory, name);
      const config = configure(pair, {
        'before-promote': `cat >${at('before')}`,
        promoted: `cat >${at('event.tmp')}; mv ${at('event.tmp')} ${at('event')}`,
      });
      const run = promote(config);
      assert.equal(run.exit, 0, run.all);
      assert.equal(JSON.parse(readFileSync(at('before'), 'utf8')).slave, pair.slaveFile);
      await eventually('the hook has run', () => existsSync(at('event')));
      const event = JSON.parse(readFileSync(at('event'), 'utf8'));
      assert.deepEqual([event.event ?? event.name, event.storage, event.slave], ['promoted', 'main', pair.slaveFile]);
    }));

  it('one that cannot be started is reported, and the slave is promoted all the same', () =>
    withPair((pair) => {
      pair.synced();
      const config = configure(pair, { promoted: 'exit 0' });
      chmodSync(join(pair.directory, 'promoted.sh'), 0o644);
      const run = promote(config);
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.storages.main.promoted, true);
      assert.match(run.stderr, /the hook promoted .*promoted\.sh|promoted\.sh/);
    }));
});
