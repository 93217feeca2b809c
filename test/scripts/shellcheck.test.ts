import assert from 'node:assert/strict';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { venvProgram } from '../support/venv.js';
import { run, scratch, scripts, writeScript } from './shell.js';

/** Every file under scripts/ that starts like a shell script, so that none is missed. */
const shellScripts = readdirSync(scripts, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .filter((path) => readFileSync(path, 'utf8').startsWith('#!'));

const shellcheck = venvProgram('shellcheck');

test('the scripts that an operator installs exist', () => {
  assert.deepEqual(shellScripts.map((path) => path.slice(scripts.length + 1)).sort(), [
    'cluster/aside.sh',
    'cluster/ask.sh',
    'cluster/clients',
    'cluster/cluster.sh',
    'cluster/guard',
    'cluster/handover.sh',
    'cluster/lock.sh',
    'cluster/manager.sh',
    'cluster/may-serve.sh',
    'cluster/network.sh',
    'cluster/promotions.sh',
    'cluster/replace.sh',
    'cluster/restart.sh',
    'cluster/roles.sh',
    'cluster/server.sh',
    'cluster/settings.sh',
    'cluster/switch.sh',
    'cluster/switchover',
    'cluster/syncs.sh',
    'cluster/takeover.sh',
    'cluster/watchdog.sh',
    'cluster/zeo',
    'install.sh',
    'install/checks.sh',
    'install/files.sh',
    'install/heartbeat.sh',
    'install/left.sh',
    'install/machine.sh',
    'install/samples.sh',
    'install/table.sh',
    'install/values.sh',
    'keepalived/check',
    'keepalived/files.sh',
    'keepalived/notify',
    'pacemaker/zeo',
    'syncData.sh',
  ]);
});

for (const path of shellScripts) {
  const name = path.slice(scripts.length + 1);

  test(`${name} is shellcheck clean, POSIX sh, and parses in dash`, async () => {
    assert.match(readFileSync(path, 'utf8'), /^#!\/bin\/sh\n/);
    const result = await run(shellcheck, ['--external-sources', '--severity=style', '--shell=sh', path]);
    assert.deepEqual([result.status, result.stdout], [0, '']);
    assert.equal((await run('sh', ['-n', path])).status, 0);
  });

  test(`${name} treats an unset variable as an error`, () => {
    assert.match(readFileSync(path, 'utf8'), /^set -u$/m);
  });

  if (!name.endsWith('.sh') || name === 'syncData.sh') {
    test(`${name} is executable`, () => accessSync(path, constants.X_OK));
  }
}

test('control: shellcheck finds an unquoted variable', async (t) => {
  const bad = writeScript(join(scratch(t), 'bad.sh'), 'rm $1');
  const result = await run(shellcheck, [bad]);
  assert.equal(result.status, 1);
  assert.match(result.stdout, /SC2086/);
});
