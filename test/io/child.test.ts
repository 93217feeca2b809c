import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { endInTime, outputInTime } from '../../src/io/child.js';
import { inProject } from '../support/root.js';

const environment = { PATH: process.env['PATH'] };

describe('a program that is run for its end', () => {
  // It does not keep a process alive.
  let alive: NodeJS.Timeout;
  before(() => {
    alive = setInterval(() => {}, 1000);
  });
  after(() => clearInterval(alive));

  it('resolves to nothing after status 0, otherwise to how it ended and what it wrote to standard error', async () => {
    assert.equal(await endInTime('true', [], 10_000, environment), undefined);
    assert.equal(await endInTime('sh', ['-c', 'exit 3'], 10_000, environment), 'sh ended with status 3');
    const told = await endInTime('sh', ['-c', 'echo why >&2; kill -9 $$'], 10_000, environment);
    assert.equal(told, 'sh ended with SIGKILL: why');
    const long = await endInTime('sh', ['-c', 'yes | head -c 100000 >&2; exit 1'], 10_000, environment);
    assert.ok((long ?? '').length < 600);
  });

  it('has the given environment only', async () => {
    assert.equal(await endInTime('sh', ['-c', '[ -z "$HOME$USER" ]'], 10_000, environment), undefined);
  });
});

describe('without a free descriptor', () => {
  it('a program is not started, and that is reported', () => {
    const text = `
      import fs from 'node:fs';
      const { endInTime, outputInTime } = await import('${inProject('dist', 'src', 'io', 'child.js')}');
      try { for (;;) fs.openSync('/dev/null'); } catch {}
      const fault = await endInTime('true', [], 10000, process.env);
      fs.writeSync(1, fault + ' ' + await outputInTime('true', [], 10000));`;
    const limited = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
    const done = spawnSync('sh', ['-c', limited, process.execPath, text], { encoding: 'utf8', timeout: 20_000 });
    assert.deepEqual([done.status, done.stdout], [0, 'spawn true EMFILE undefined'], done.stderr);
  });

  it('control: with one, it is', async () => {
    assert.equal(await outputInTime('echo', ['x'], 10_000), 'x\n');
  });
});
