import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inProject } from '../support/root.js';
import { eventually, run, scratch, scripts, writeScript } from './shell.js';

const LOGROTATE = ['/usr/sbin/logrotate', '/sbin/logrotate'].find((path) => existsSync(path));
const skip = LOGROTATE === undefined && 'not run: there is no logrotate here (Debian: apt-get install logrotate)';

const sample = readFileSync(join(scripts, 'logrotate', 'syncpozo'), 'utf8');

/** What logrotate runs after it has renamed the log of a watch. */
const postrotate = /\tpostrotate\n([\s\S]*?)\n\tendscript/.exec(sample)?.[1]?.trim() ?? '';

/** A process that logs a number every few milliseconds, through the log of the program, and opens it again at HUP. */
async function startWriter(t: TestContext, file: string): Promise<ChildProcess> {
  const program = `
    import { pino } from 'pino';
    import { openLog } from '${inProject('dist', 'src', 'report', 'log.js')}';
    const log = openLog(pino, { level: 'info', format: 'text', file: '${file}' });
    process.on('SIGHUP', () => log.reopen());
    let n = 0;
    setInterval(() => log.info({}, 'line ' + ++n), 2);`;
  const args = ['--input-type=module', '-e', program];
  const child = spawn(process.execPath, args, { cwd: inProject(), stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await eventually('the log has lines', () => existsSync(file) && linesOf(file).length > 10);
  return child;
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

/** A `systemctl` for which the watch is the writer; it notes what it is asked. */
function systemctl(dir: string, writer: ChildProcess): { readonly path: string; readonly calls: () => string[] } {
  mkdirSync(join(dir, 'bin'));
  const calls = join(dir, 'calls');
  const body = `echo "$*" >>'${calls}'\n[ "$1" != reload ] || kill -HUP ${writer.pid} 2>/dev/null || :`;
  writeScript(join(dir, 'bin', 'systemctl'), body);
  return { path: `${join(dir, 'bin')}:/usr/bin:/bin`, calls: () => linesOf(calls) };
}

const ASKED = ['is-active --quiet syncpozo-watch.service', 'reload syncpozo-watch.service'];

/** Nothing was lost or written twice, and the new file is in use. */
function assertComplete(old: string, file: string): void {
  const all = [...linesOf(old), ...linesOf(file)].map((line) => Number(/ INFO line (\d+)$/.exec(line)?.[1]));
  assert.ok(linesOf(file).length > 10);
  assert.deepEqual(
    all,
    Array.from(all, (_, at) => at + 1),
  );
}

test('a log that is renamed while lines are written goes on in the new file, and no line is lost', async (t) => {
  const dir = scratch(t);
  const [file, old] = [join(dir, 'watch.log'), join(dir, 'watch.log.1')];
  const writer = await startWriter(t, file);
  const { path, calls } = systemctl(dir, writer);
  const rotated = await run('sh', ['-c', `mv '${file}' '${old}'; sleep 0.1; : >'${file}'; ${postrotate}`], {
    env: { PATH: path },
  });
  assert.deepEqual([rotated.status, rotated.stderr], [0, '']);
  await eventually('the new file has lines', () => linesOf(file).length > 10);
  writer.kill('SIGKILL');
  assertComplete(old, file);
  assert.deepEqual(calls(), ASKED);
});

test('the sample rotates with the real logrotate', { skip }, async (t) => {
  const dir = scratch(t);
  mkdirSync(join(dir, 'syncpozo'));
  const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
  const group = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();
  const conf = join(dir, 'conf');
  writeFileSync(conf, sample.replaceAll('/var/log/', `${dir}/`).replaceAll('zope zope', `${user} ${group}`));
  chmodSync(conf, 0o644);
  const file = join(dir, 'syncpozo', 'watch.log');
  writeFileSync(join(dir, 'syncPozo.log'), 'a line of cron\n');
  const writer = await startWriter(t, file);
  const { path, calls } = systemctl(dir, writer);
  const rotate = () => run(LOGROTATE ?? '', ['--force', '--state', join(dir, 'state'), conf], { env: { PATH: path } });
  const { status, stdout, stderr } = await rotate();
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
  await eventually('the new file has lines', () => linesOf(file).length > 10);
  writer.kill('SIGKILL');
  assertComplete(`${file}.1`, file);
  assert.deepEqual(calls(), ASKED);
  assert.equal(readFileSync(join(dir, 'syncPozo.log.1'), 'utf8'), 'a line of cron\n');
  // The second time the first old log is compressed.
  assert.equal((await rotate()).status, 0);
  assert.deepEqual(readdirSync(join(dir, 'syncpozo')).sort(), ['watch.log', 'watch.log.1', 'watch.log.2.gz']);
});

test('without a running watch, postrotate does nothing', async (t) => {
  const dir = scratch(t);
  mkdirSync(join(dir, 'bin'));
  writeScript(join(dir, 'bin', 'systemctl'), `[ "$1" = is-active ] && exit 3\necho "$*"`);
  const { status, stdout } = await run('sh', ['-c', postrotate], {
    env: { PATH: `${join(dir, 'bin')}:/usr/bin:/bin` },
  });
  assert.deepEqual([status, stdout], [0, '']);
});
