import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, scratch, scripts, writeScript } from './shell.js';

/** A sample's lines without comments and blank lines. */
function settings(name: string): readonly string[] {
  return readFileSync(join(scripts, name), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test("crontab: every minute, as ZEO's user, and the command runs", async (t) => {
  const lines = settings('crontab');
  const jobs = lines.filter((line) => line.includes('syncData.sh'));
  assert.equal(jobs.length, 1);
  assert.ok(lines.some((line) => line.startsWith('MAILTO=')));
  assert.match(jobs[0] ?? '', /^\* \* \* \* \* [a-z]+ \/usr\/local\/sbin\/syncData\.sh$/);
  // cron turns % into a newline.
  assert.ok(!jobs[0]?.includes('%'));

  const dir = scratch(t);
  mkdirSync(join(dir, 'bin'));
  const env = {
    PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
    SYNCPOZO: writeScript(join(dir, 'bin', 'stand-in'), `echo "$@" >'${dir}/given'`),
    SYNCPOZO_LOG: join(dir, 'log'),
  };
  const result = await run('sh', ['-c', `'${scripts}/syncData.sh'`], { env });
  assert.deepEqual([result.status, result.stdout, result.stderr], [0, '', '']);
  assert.equal(readFileSync(join(dir, 'given'), 'utf8'), 'sync --log-format text\n');
});

test('the configuration, fstab, exports and the sshfs service have the same paths', () => {
  const sample = readFileSync(join(scripts, 'syncpozo.yml'), 'utf8');
  const [exported, ...hosts] = (settings('nfs/exports')[0] ?? '').split(/\s+/);
  const [device, mount] = (settings('nfs/fstab')[0] ?? '').split(/\s+/);
  assert.equal(device, `peer:${exported}`);
  const sshfs = settings('sshfs/syncpozo-peer.service').find((line) => line.startsWith('ExecStart=')) ?? '';
  assert.ok(sshfs.includes(`@${device} ${mount} `), sshfs);
  for (const key of ['var', 'blobs']) {
    assert.ok(sample.includes(`master: ${mount}/${key}`), key);
    assert.ok(sample.includes(`slave: ${exported}/${key}`), key);
  }
  const addresses = [...sample.matchAll(/ {4}m\d: \{ address: ([\d.]+)/g)].map(([, address]) => address);
  assert.deepEqual(
    hosts.map((host) => host.replace(/\(.*/, '')),
    addresses,
  );
  assert.deepEqual(
    settings('hosts'),
    addresses.map((address, index) => `${address} m${index + 1}`),
  );
  assert.ok(readFileSync(join(scripts, 'README.md'), 'utf8').includes(`\n  blob-dir ${exported}/blobs\n`));
});

test('default/syncpozo: the values in its comments are the defaults', async () => {
  const text = readFileSync(join(scripts, 'default', 'syncpozo'), 'utf8');
  const sources = readFileSync(join(scripts, 'syncData.sh'), 'utf8');
  const documented = [...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => ({ name, value }));
  // Settings have their defaults as in NAME=${NAME:-default}.
  const read = new Set([...sources.matchAll(/\$\{((?:ZEO|SYNC)[A-Z_]*):?[-+]/g)].map((found) => found[1]));
  read.delete('SYNCPOZO_DEFAULTS');
  assert.deepEqual(documented.map(({ name }) => name).sort(), [...read].sort());
  for (const { name, value } of documented.filter(({ name }) => name === 'SYNCPOZO_LOG'))
    assert.ok(sources.includes(`\${${name}:-${value}}`), `${name} is not ${value}`);
});

test('fstab: six fields, read-only, and it gives up when the other host is gone', () => {
  const lines = settings('nfs/fstab');
  assert.equal(lines.length, 1);
  const fields = (lines[0] ?? '').split(/\s+/);
  assert.equal(fields.length, 6);
  const options = (fields[3] ?? '').split(',');
  for (const option of ['ro', 'soft', 'timeo=10', 'retrans=2', 'retry=0', 'nofail', 'noauto', 'x-systemd.automount'])
    assert.ok(options.includes(option), option);
  assert.ok(!options.includes('hard') && !options.includes('rw'));
});

test('exports: read-only, squashed root, the two hosts by name', () => {
  const lines = settings('nfs/exports');
  assert.equal(lines.length, 1);
  const [, ...hosts] = (lines[0] ?? '').split(' ');
  assert.equal(hosts.length, 2);
  for (const host of hosts) assert.match(host, /^\d+\.\d+\.\d+\.\d+\(ro,sync,root_squash,crossmnt,no_subtree_check\)$/);
});

test('sshfs: read-only twice, no hanging read, no stale size, no question', () => {
  const text = settings('sshfs/syncpozo-peer.service').join(' ');
  const options = [...text.matchAll(/ -o (\S+)/g)].flatMap(([, list = '']) => list.split(','));
  for (const option of [
    'ro',
    'allow_other',
    'reconnect',
    'ServerAliveInterval=1',
    'ServerAliveCountMax=2',
    'ConnectTimeout=2',
  ])
    assert.ok(options.includes(option), option);
  for (const option of [
    'dir_cache=no',
    'attr_timeout=0',
    'entry_timeout=0',
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
  ])
    assert.ok(options.includes(option), option);
  assert.match(
    settings('sshfs/authorized_keys')[0] ?? '',
    /^restrict,from="peer",command="internal-sftp -R" ssh-ed25519 /,
  );
});

test('haresources: one line, ZEO before the address, and its script exists', () => {
  const lines = settings('heartbeat/haresources');
  assert.equal(lines.length, 1);
  const [host, ...resources] = (lines[0] ?? '').split(/\s+/);
  assert.equal(resources[0], 'zeo');
  assert.match(resources[1] ?? '', /^IPaddr2::\d+\.\d+\.\d+\.\d+\/\d+\/\w+$/);
  assert.ok(readdirSync(join(scripts, 'cluster')).includes('zeo'));
  assert.ok(settings('heartbeat/ha.cf').includes(`node ${host}`));
});

test('ha.cf: the settings that were found to work, media after their port', () => {
  const lines = settings('heartbeat/ha.cf');
  for (const line of ['auto_failback off', 'crm off', 'realtime off']) assert.ok(lines.includes(line), line);
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  assert.ok(at('udpport') >= 0 && at('udpport') < at('ucast'));
  assert.equal(lines.filter((line) => line.startsWith('node ')).length, 2);
  // Both hosts, over both cables: the file is the same on both.
  assert.equal(lines.filter((line) => line.startsWith('ucast ')).length, 4);
});

test('authkeys: no usable key in the sample, and its recipe creates one', async (t) => {
  assert.deepEqual(settings('heartbeat/authkeys'), []);
  const recipe = readFileSync(join(scripts, 'heartbeat', 'authkeys'), 'utf8')
    .split('\n')
    .find((line) => line.includes('umask 077'))
    ?.replace(/^# */, '');
  assert.ok(recipe);
  const made = join(scratch(t), 'authkeys');
  const result = await run('sh', ['-c', `${recipe.replace('/etc/ha.d/authkeys', made)} && stat -c %a ${made}`]);
  assert.deepEqual([result.status, result.stdout], [0, '600\n']);
  assert.match(readFileSync(made, 'utf8'), /^auth 1\n1 sha1 [0-9a-f]{64}\n$/);
});

test('README names every file in scripts', () => {
  const readme = readFileSync(join(scripts, 'README.md'), 'utf8');
  const files = readdirSync(scripts, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(scripts.length + 1));
  for (const file of files) assert.ok(readme.includes(`\`${file}\``), file);
});
