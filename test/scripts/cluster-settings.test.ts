import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, scripts, writeScript } from './shell.js';
import { commit, makeInstance } from './zeo.js';

test('the scripts take their settings from the configuration, and from the last good ones when that fails', async (t) => {
  const host = await makeInstance(t);
  await commit(host.dataFs, 1);
  const { SYNCPOZO_SETTINGS: _, ...env } = host.env;
  const hosts = { [hostname()]: { address: '192.0.2.1' }, other: { address: '192.0.2.2' } };
  const zeo = { control: join(host.dir, 'bin', 'zeoctl'), port: host.port };
  const cluster = { hosts, address: '192.0.2.10/24', interface: 'eth0', zeo };
  const status = (): ReturnType<typeof run> => run(join(scripts, 'cluster', 'zeo'), ['status'], { env });
  const saved = join(host.dir, 'cluster.settings');
  const configuration = env['SYNCPOZO_CONFIG'] ?? '';

  host.configure({ cluster });
  writeFileSync(configuration, 'storages: [\n');
  const without = await status();
  assert.equal(without.status, 6, 'there are no settings from before');
  assert.match(without.stderr, /config shell' has failed/);
  assert.match(without.stdout, /unknown/);

  host.configure({ cluster });
  assert.deepEqual(await status(), { status: 3, stdout: 'stopped\n', stderr: '' });
  assert.match(readFileSync(saved, 'utf8'), new RegExp(`^# \\d+ \\d+ ${hostname()}\n`));

  // While the configuration is the same, syncpozo is not called.
  const calls = join(host.dir, 'calls');
  const counting = { ...env, SYNCPOZO: writeScript(join(host.dir, 'bin', 'counting'), `echo >>'${calls}'; exit 1`) };
  const cached = await run(join(scripts, 'cluster', 'zeo'), ['status'], { env: counting });
  assert.deepEqual([cached.status, existsSync(calls)], [3, false]);

  writeFileSync(configuration, 'storages: [\n');
  const typo = await status();
  assert.deepEqual([typo.status, typo.stdout], [3, 'stopped\n']);
  assert.match(typo.stderr, /going on with the last good settings/);
  assert.match(typo.stderr, /hint: '.* config check' reports the mistakes/);

  // Of a start, which executes itself again, only the first one asks.
  const start = await run(join(scripts, 'cluster', 'zeo'), ['start'], { env });
  assert.equal(start.stderr.match(/going on with the last good settings/g)?.length, 1, start.stderr);
  rmSync(configuration);
  const gone = await status();
  assert.match(gone.stderr, /^zeo: '.* config shell' has failed: \S+: found no file/);

  host.configure({ cluster: { ...cluster, zeo: { ...zeo, port: host.port + 1 } } });
  assert.equal((await status()).status, 3);
  assert.match(readFileSync(saved, 'utf8'), new RegExp(`^zeo_port='${host.port + 1}'$`, 'm'));
});

test('the environment of a daemon that asks for its settings again and again does not grow', async (t) => {
  const host = await makeInstance(t);
  writeFileSync(host.env['SYNCPOZO_DEFAULTS'] ?? '', 'PATH=/opt/node/bin:$PATH\n');
  const library = join(scripts, 'cluster', 'cluster.sh');
  const daemon = `cluster_lib='${join(scripts, 'cluster')}'; . '${library}'
    settings; once=$(env | wc -c); settings; settings; [ "$(env | wc -c)" -eq "$once" ] && echo "$PATH"`;
  const result = await run('sh', ['-c', daemon], { env: host.env });
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /^\/opt\/node\/bin:.*:\/sbin:\/bin\n$/);
});
