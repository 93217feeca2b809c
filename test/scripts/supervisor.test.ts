import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, kill, type Result, run, scratch, scripts, writeScript } from './shell.js';

const absent = ['supervisord', 'supervisorctl'].filter((name) => spawnSync('which', [name]).status !== 0);
const skip = absent.length > 0 && `not run: there is no ${absent.join(', ')} here (Debian: apt-get install supervisor)`;

const sample = readFileSync(join(scripts, 'supervisor', 'syncpozo.conf'), 'utf8');

/** Ends as a watch does: at TERM with 0, and not at HUP. `dir`/mode makes it end with a status, or ignore TERM. */
const WATCH = `
  import { readFileSync } from 'node:fs';
  const mode = (() => { try { return readFileSync('MODE', 'utf8').trim(); } catch { return ''; } })();
  console.error('started ' + process.argv.slice(1).join(' ') + ' as ' + process.pid);
  if (/^[0-9]/.test(mode)) process.exit(Number(mode));
  process.on('SIGTERM', () => { if (mode !== 'deaf') { console.error('ended'); process.exit(0); } });
  process.on('SIGHUP', () => console.error('log opened again'));
  setInterval(() => {}, 1000);`;

interface Supervised {
  readonly dir: string;
  readonly ctl: (...args: string[]) => Promise<Result>;
  /** State of the program, such as RUNNING. */
  readonly state: () => Promise<string>;
  readonly log: () => string[];
  /** Process ids of all starts. */
  readonly pids: () => number[];
}

/** A real supervisord with the sample, whose program is a stand-in for the watch. */
async function supervise(t: TestContext, change: (text: string) => string = (text) => text): Promise<Supervised> {
  const dir = scratch(t);
  mkdirSync(join(dir, 'bin'));
  const log = join(dir, 'log');
  const program = WATCH.replace('MODE', join(dir, 'mode'));
  writeFileSync(join(dir, 'watch.mjs'), program);
  writeScript(join(dir, 'bin', 'syncpozo'), `exec '${process.execPath}' '${dir}/watch.mjs' "$@"`);
  const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
  const local = sample
    .replace('PATH="', `PATH="${join(dir, 'bin')}:`)
    .replace('user=zope', `user=${user}`)
    .replace('/var/log/syncPozo-watch.log', log)
    .replace('startsecs=5', 'startsecs=1');
  const conf = join(dir, 'supervisord.conf');
  writeFileSync(
    conf,
    `[unix_http_server]
file=${dir}/sock
[supervisord]
user=${user}
logfile=${dir}/supervisord.log
pidfile=${dir}/supervisord.pid
childlogdir=${dir}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${dir}/sock
${change(local)}`,
  );
  const child: ChildProcess = spawn('supervisord', ['--nodaemon', '-c', conf], { stdio: 'ignore' });
  t.after(async () => {
    child.kill('SIGTERM');
    await eventually('supervisord has ended', () => child.exitCode !== null || child.signalCode !== null);
  });
  const ctl: Supervised['ctl'] = (...args) => run('supervisorctl', ['-c', conf, ...args]);
  const state = async (): Promise<string> => (await ctl('status')).stdout.split(/\s+/)[1] ?? '';
  const lines = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);
  const pids = (): number[] =>
    lines()
      .flatMap((line) => / as (\d+)$/.exec(line)?.[1] ?? [])
      .map(Number);
  await eventually('supervisord listens', () => existsSync(join(dir, 'sock')) || child.exitCode !== null);
  assert.equal(
    child.exitCode,
    null,
    existsSync(join(dir, 'supervisord.log')) ? readFileSync(join(dir, 'supervisord.log'), 'utf8') : '',
  );
  return { dir, ctl, state, log: lines, pids };
}

async function reaches(supervised: Supervised, wanted: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if ((await supervised.state()) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${wanted} was never reached, but ${await supervised.state()}:\n${supervised.log().join('\n')}`);
}

test('supervisord starts the watch, stops it, starts it again, and passes HUP on', { skip }, async (t) => {
  const watch = await supervise(t);
  await reaches(watch, 'RUNNING');
  assert.match(
    watch.log()[0] ?? '',
    /^started .*watch\.mjs watch --config \/etc\/syncpozo\.yml --log-format text as \d+$/,
  );
  const hup = await watch.ctl('signal', 'HUP', 'syncpozo-watch');
  assert.equal(hup.status, 0, hup.stdout);
  await eventually('HUP arrives', () => watch.log().at(-1) === 'log opened again');
  assert.equal(await watch.state(), 'RUNNING');
  assert.equal((await watch.ctl('stop', 'syncpozo-watch')).status, 0);
  assert.equal(await watch.state(), 'STOPPED');
  assert.equal(watch.log().at(-1), 'ended');
  assert.equal((await watch.ctl('start', 'syncpozo-watch')).status, 0);
  assert.equal(watch.pids().length, 2);
});

test('a watch that was killed, or ended by itself, is started again', { skip }, async (t) => {
  const watch = await supervise(t);
  for (const [at, signal] of (['SIGKILL', 'SIGTERM'] as const).entries()) {
    await reaches(watch, 'RUNNING');
    kill(watch.pids()[at] ?? 0, signal);
    await eventually('the next one runs', () => watch.pids().length === at + 2);
  }
  await reaches(watch, 'RUNNING');
});

test('a watch that does not end at TERM is killed', { skip }, async (t) => {
  const watch = await supervise(t, (text) => text.replace('stopwaitsecs=10', 'stopwaitsecs=1'));
  await reaches(watch, 'RUNNING');
  writeFileSync(join(watch.dir, 'mode'), 'deaf');
  await watch.ctl('restart', 'syncpozo-watch');
  await reaches(watch, 'RUNNING');
  assert.equal((await watch.ctl('stop', 'syncpozo-watch')).status, 0);
  assert.equal(await watch.state(), 'STOPPED');
  assert.match(readFileSync(join(watch.dir, 'supervisord.log'), 'utf8'), /killing 'syncpozo-watch'.*SIGKILL/);
});

test('a start that fails is tried again, and in the end no more', { skip }, async (t) => {
  const watch = await supervise(t, (text) => text.replace('startretries=60', 'startretries=2'));
  await reaches(watch, 'RUNNING');
  writeFileSync(join(watch.dir, 'mode'), '1');
  await watch.ctl('restart', 'syncpozo-watch');
  await reaches(watch, 'FATAL');
  assert.ok(watch.pids().length >= 4);
});

test('control: supervisord refuses a value that is none', { skip }, async (t) => {
  await assert.rejects(supervise(t, (text) => text.replace('stopsignal=TERM', 'stopsignal=GENTLY')));
});
