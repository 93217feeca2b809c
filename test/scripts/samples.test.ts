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
  const job = /^\* \* \* \* \* ([a-z]+) (\S+) (\S+ \S+)$/.exec(jobs[0] ?? '');
  assert.ok(job, jobs[0]);
  // cron turns % into a newline.
  assert.ok(!jobs[0]?.includes('%'));

  const dir = scratch(t);
  mkdirSync(join(dir, 'bin'));
  const env = {
    PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
    SYNCPOZO: writeScript(join(dir, 'bin', 'stand-in'), `echo "$@" >'${dir}/given'`),
    SYNCPOZO_LOG: join(dir, 'log'),
  };
  const result = await run('sh', ['-c', `'${scripts}/syncData.sh' ${job[3]}`], { env });
  assert.deepEqual([result.status, result.stdout, result.stderr], [0, '', '']);
  assert.equal(readFileSync(join(dir, 'given'), 'utf8'), `sync --log-format text ${job[3]}\n`);
});

test('the paths of crontab, fstab, exports and defaults agree', () => {
  const [device, mount] = (settings('nfs/fstab')[0] ?? '').split(/\s+/);
  const [exported] = (settings('nfs/exports')[0] ?? '').split(/\s+/);
  assert.equal(device, `m1:${exported}`);
  const job = settings('crontab').find((line) => line.includes('syncData.sh')) ?? '';
  assert.ok(job.includes(` ${mount} ${exported}`), job);
  assert.ok(settings('default/syncpozo').some((line) => `${line}/var` === `ZEO_INSTANCE=${exported}`));

  const [blobDevice, blobMount] = (settings('nfs/fstab')[1] ?? '').split(/\s+/);
  const [exportedBlobs] = (settings('nfs/exports')[1] ?? '').split(/\s+/);
  assert.equal(blobDevice, `m1:${exportedBlobs}`);
  const defaults = readFileSync(join(scripts, 'default', 'syncpozo'), 'utf8');
  assert.ok(defaults.includes(`\n#SYNCPOZO_BLOBS=${blobMount}:${exportedBlobs}\n`));
  assert.ok(readFileSync(join(scripts, 'README.md'), 'utf8').includes(`\n  blob-dir ${exportedBlobs}\n`));
});

test('default/syncpozo: the values in its comments are the defaults', async () => {
  const text = readFileSync(join(scripts, 'default', 'syncpozo'), 'utf8');
  const sources = ['syncData.sh', 'heartbeat/zeo.sh'].map((name) => readFileSync(join(scripts, name), 'utf8')).join('');
  const documented = [...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => ({ name, value }));
  // Settings have their defaults as in NAME=${NAME:-default}.
  const read = new Set([...sources.matchAll(/\$\{((?:ZEO|SYNC)[A-Z_]*):?[-+]/g)].map((found) => found[1]));
  read.delete('SYNCPOZO_DEFAULTS');
  assert.deepEqual(documented.map(({ name }) => name).sort(), [...read].sort());
  for (const { name, value } of documented.filter(({ value }) => /^\d+$/.test(value ?? ''))) {
    assert.ok(sources.includes(`\${${name}:-${value}}`), `${name} is not ${value}`);
  }
});

test('fstab: six fields, read-only, and it gives up when the master is gone', async () => {
  const lines = settings('nfs/fstab');
  assert.equal(lines.length, 2);
  for (const line of lines) {
    const fields = line.split(/\s+/);
    assert.equal(fields.length, 6);
    const options = (fields[3] ?? '').split(',');
    for (const option of ['ro', 'soft', 'timeo=10', 'retrans=2', 'nofail']) assert.ok(options.includes(option), option);
    assert.ok(!options.includes('hard') && !options.includes('rw'));
  }
});

test('exports: read-only, squashed root, one named host', () => {
  const lines = settings('nfs/exports');
  assert.equal(lines.length, 2);
  for (const line of lines) {
    const fields = /^(\/\S+) (\d+\.\d+\.\d+\.\d+)\(([a-z_,]+)\)$/.exec(line);
    assert.ok(fields, line);
    assert.deepEqual(fields[3]?.split(','), ['ro', 'sync', 'root_squash', 'no_subtree_check']);
  }
});

test('haresources: one line, ZEO before the address, and its script exists', () => {
  const lines = settings('heartbeat/haresources');
  assert.equal(lines.length, 1);
  const [host, ...resources] = (lines[0] ?? '').split(/\s+/);
  assert.equal(resources[0], 'zeo');
  assert.match(resources[1] ?? '', /^IPaddr::\d+\.\d+\.\d+\.\d+/);
  assert.ok(readdirSync(join(scripts, 'heartbeat', 'master')).includes('zeo'));
  assert.ok(settings('heartbeat/ha.cf').includes(`node ${host}`));
});

test('ha.cf: the settings that were found to work, media after their port', () => {
  const lines = settings('heartbeat/ha.cf');
  for (const line of ['auto_failback off', 'crm off', 'realtime off']) assert.ok(lines.includes(line), line);
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  assert.ok(at('udpport') >= 0 && at('udpport') < at('ucast'));
  assert.equal(lines.filter((line) => line.startsWith('node ')).length, 2);
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
