import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Site } from '../support/site.js';
import { eventually, installSyncpozo, kill, type Result, run, scratch, scripts, writeScript } from './shell.js';

const absent = ['supervisord', 'supervisorctl'].filter((name) => spawnSync('which', [name]).status !== 0);
const skip = absent.length > 0 && `not run: there is no ${absent.join(', ')} here (Debian: apt-get install supervisor)`;

const sample = readFileSync(join(scripts, 'supervisor', 'syncpozo.conf'), 'utf8');

/** A stand-in: the real watch ignores TERM only where the machine is at fault. */
const DEAF = `trap '' TERM; while :; do sleep 0.1; done`;

interface Supervised {
  readonly dir: string;
  readonly ctl: (...args: string[]) => Promise<Result>;
  /** State of the program, such as RUNNING. */
  readonly state: () => Promise<string>;
  readonly log: () => string[];
  /** Process ids of all starts. */
  readonly pids: () => number[];
}

/** A real supervisord with the sample, and the real watch of a storage of its own. */
async function supervise(t: TestContext, change: (text: string) => string = (text) => text): Promise<Supervised> {
  const dir = scratch(t);
  mkdirSync(join(dir, 'bin'));
  const log = join(dir, 'log');
  installSyncpozo(join(dir, 'bin'));
  for (const side of ['master', 'slave']) mkdirSync(join(dir, side));
  const site = Site.create(join(dir, 'master', 'Data.fs'));
  site.commit(site.pages(new Map([[1, 'a page']])));
  site.close();
  writeFileSync(
    join(dir, 'syncpozo.yml'),
    `storages: { main: { master: ${dir}/master, slave: ${dir}/slave, status-file: ${dir}/status } }\n`,
  );
  const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
  const local = sample
    .replace('PATH="', `PATH="${join(dir, 'bin')}:`)
    .replace('/etc/syncpozo.yml', join(dir, 'syncpozo.yml'))
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
  const pids = (): number[] => {
    const text = readFileSync(join(dir, 'supervisord.log'), 'utf8');
    return [...text.matchAll(/spawned: 'syncpozo-watch' with pid (\d+)/g)].map(([, pid]) => Number(pid));
  };
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
  const isInStep = (): boolean => watch.log().some((line) => / INFO in step -- storage=main /.test(line));
  await eventually('it syncs', isInStep);
  assert.ok(readFileSync(join(watch.dir, 'slave/Data.fs')).equals(readFileSync(join(watch.dir, 'master/Data.fs'))));
  const hup = await watch.ctl('signal', 'HUP', 'syncpozo-watch');
  assert.equal(hup.status, 0, hup.stdout);
  assert.equal((await watch.ctl('stop', 'syncpozo-watch')).status, 0);
  assert.equal(await watch.state(), 'STOPPED');
  assert.match(watch.log().at(-1) ?? '', / INFO ended by a signal$/);
  assert.match(readFileSync(join(watch.dir, 'supervisord.log'), 'utf8'), /stopped: syncpozo-watch \(exit status 0\)/);
  assert.equal(watch.pids().length, 1, 'HUP does not end it');
  assert.equal((await watch.ctl('start', 'syncpozo-watch')).status, 0);
  assert.equal(watch.pids().length, 2);
});

test('HUP reaches a watch that has a log file of its own', { skip }, async (t) => {
  const watch = await supervise(t, (text) =>
    text.replace('watch --config', 'watch --log-file %(here)s/own.log --config'),
  );
  await reaches(watch, 'RUNNING');
  const own = join(watch.dir, 'own.log');
  await eventually('it syncs', () => readFileSync(own, 'utf8').includes(' INFO in step '));
  renameSync(own, `${own}.1`);
  assert.equal((await watch.ctl('signal', 'HUP', 'syncpozo-watch')).status, 0);
  await eventually('it opens its log again', () => existsSync(own));
  assert.equal((await watch.ctl('stop', 'syncpozo-watch')).status, 0);
  assert.match(readFileSync(own, 'utf8'), /^\S+ INFO ended by a signal\n$/);
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
  writeScript(join(watch.dir, 'bin', 'syncpozo'), DEAF);
  await watch.ctl('restart', 'syncpozo-watch');
  await reaches(watch, 'RUNNING');
  assert.equal((await watch.ctl('stop', 'syncpozo-watch')).status, 0);
  assert.equal(await watch.state(), 'STOPPED');
  assert.match(readFileSync(join(watch.dir, 'supervisord.log'), 'utf8'), /killing 'syncpozo-watch'.*SIGKILL/);
});

test('a start that fails is tried again, and in the end no more', { skip }, async (t) => {
  const watch = await supervise(t, (text) => text.replace('startretries=60', 'startretries=1'));
  await reaches(watch, 'RUNNING');
  writeFileSync(join(watch.dir, 'syncpozo.yml'), 'storages: {}\n');
  await watch.ctl('restart', 'syncpozo-watch');
  await reaches(watch, 'FATAL');
  assert.ok(watch.pids().length >= 3);
});

test('control: supervisord refuses a value that is none', { skip }, async (t) => {
  await assert.rejects(supervise(t, (text) => text.replace('stopsignal=TERM', 'stopsignal=GENTLY')));
});
