import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python, venvProgram } from '../support/venv.js';
import { Started, Zeo } from './zeo.js';

const CLIENT = inProject('test', 'zodb', 'acknowledged.py');

/** Two hosts, as directories: the one that serves first, and its standby. */
interface Hosts {
  readonly directory: string;
  readonly m1: string;
  readonly m2: string;
}

const fileOf = (host: string): string => join(host, 'Data.fs');
const statusOf = (host: string): string => `${host}.status`;
const serve = ({ directory }: Hosts, host: string): Promise<Zeo> =>
  Zeo.start({ directory, file: fileOf(host), packKeepOld: true });

async function withHosts(use: (hosts: Hosts) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const [m1, m2] = [join(directory, 'm1'), join(directory, 'm2')];
    for (const host of [m1, m2]) mkdirSync(host);
    await use({ directory, m1, m2 });
  });
}

/** A writer until it has noted so many more ids than before. Returns it, still at work. */
async function writing({ directory }: Hosts, zeo: Zeo, notes: string, more: number): Promise<Started> {
  const count = (): number => noted(notes).length;
  const before = count();
  const log = join(directory, `writer-${zeo.port}.log`);
  const writer = new Started(log, python(), [CLIENT, 'write', String(zeo.port), notes]);
  await eventually('ids are acknowledged', () => count() >= before + more);
  return writer;
}

const noted = (notes: string): number[] =>
  existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').slice(0, -1).map(Number) : [];

/** The ids that stock ZODB finds in a file. */
function idsIn(host: string): number[] {
  const { stdout, stderr, status } = spawnSync(python(), [CLIENT, 'read', fileOf(host)], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim() === '' ? [] : stdout.trim().split(',').map(Number);
}

function run(...args: string[]): Run {
  const done = syncpozo([...args, '--json']);
  assertNoCrash(done);
  return done;
}
const sync = (master: string, slave: string): Run => run('sync', master, slave, '--status-file', statusOf(slave));
const promote = (slave: string, ...more: string[]): Run =>
  run('promote', slave, '--status-file', statusOf(slave), ...more);
const mayServe = (data: string, peer: string): Run => run('may-serve', data, '--peer', peer);

describe('a planned switchover under load, with a real ZEO server', () => {
  it('loses nothing that was acknowledged, and the old side is not served again', () =>
    withHosts(async (hosts) => {
      const { directory, m1, m2 } = hosts;
      const notes = join(directory, 'notes');
      const zeo = await serve(hosts, m1);
      const writer = await writing(hosts, zeo, notes, 20);
      assert.equal(sync(m1, m2).exit, 0);
      await eventually('more is acknowledged', () => noted(notes).length >= 200);
      // The server is stopped in the middle of the load; what it has acknowledged by then is all that counts.
      await zeo.end();
      writer.child.kill('SIGKILL');
      const acknowledged = noted(notes);
      const behind = idsIn(m2);
      assert.ok(acknowledged.length > behind.length, 'the standby was behind');

      const promoted = promote(m2, '--master', m1, '--patience', '20');
      assert.equal(promoted.exit, 0, promoted.all);
      assert.equal(promoted.json.loss.possible, false, promoted.all);
      const there = new Set(idsIn(m2));
      assert.deepEqual(
        acknowledged.filter((id) => !there.has(id)),
        [],
        'acknowledged and lost',
      );

      assert.equal(mayServe(m2, m1).exit, 0);
      const old = mayServe(m1, m2);
      assert.deepEqual([old.exit, old.json.role], [3, 'plain'], old.all);
      const again = await serve(hosts, m2);
      const more = await writing(hosts, again, join(directory, 'more'), 5);
      more.child.kill('SIGKILL');
      await again.end();
      // A clean stop here, and nobody to ask.
      renameSync(m2, `${m2}.gone`);
      assert.equal(mayServe(m1, m2).exit, 3, 'it was marked');
    }));

  it('and one that nobody has planned: a writing server is caught up with as well, and marked by its next round', () =>
    withHosts(async (hosts) => {
      const { directory, m1, m2 } = hosts;
      const zeo = await serve(hosts, m1);
      const writer = await writing(hosts, zeo, join(directory, 'notes'), 5);
      assert.equal(sync(m1, m2).exit, 0);
      await writing(hosts, zeo, join(directory, 'other notes'), 0).then((other) => other.child.kill('SIGKILL'));
      const promoted = promote(m2, '--master', m1, '--patience', '20');
      assert.equal(promoted.exit, 0, promoted.all);
      assert.ok(promoted.json.caughtUp.transactions > 0, promoted.all);
      const bytes = readFileSync(fileOf(m2));
      assert.ok(readFileSync(fileOf(m1)).subarray(0, bytes.length).equals(bytes));
      // Its host's sync has the sides exchanged, finds the server's lock, and marks it all the same.
      assert.deepEqual([sync(m2, m1).exit, run('status', m1).json.role], [3, 'superseded']);
      writer.child.kill('SIGKILL');
      await zeo.end();
      assert.equal(mayServe(m1, m2).exit, 3);
    }));
});

describe('may-serve, with the other side out of reach, after a real ZEO server', () => {
  const nowhere = (hosts: Hosts): string => join(hosts.directory, 'not mounted');

  it('was stopped, killed in the middle of its work, or killed idle', () =>
    withHosts(async (hosts) => {
      const { directory, m1 } = hosts;
      const peer = nowhere(hosts);
      const notes = join(directory, 'notes');
      const answers: string[] = [];
      const ask = (after: string): void => {
        const { exit, json } = mayServe(m1, peer);
        answers.push(`${after}: ${exit} ${json.cleanStop}`);
      };
      let zeo = await serve(hosts, m1);
      const writer = await writing(hosts, zeo, notes, 5);
      ask('while it serves');
      await zeo.end();
      writer.child.kill('SIGKILL');
      ask('stopped');
      zeo = await serve(hosts, m1);
      zeo.process.child.kill('SIGKILL');
      await once(zeo.process.child, 'exit');
      ask('killed idle');
      zeo = await serve(hosts, m1);
      const another = await writing(hosts, zeo, notes, 5);
      zeo.process.child.kill('SIGKILL');
      await once(zeo.process.child, 'exit');
      another.child.kill('SIGKILL');
      ask('killed at work');
      zeo = await serve(hosts, m1);
      await zeo.end();
      ask('started and stopped');
      assert.deepEqual(answers, [
        'while it serves: 3 false',
        'stopped: 0 true',
        'killed idle: 3 false',
        'killed at work: 3 false',
        'started and stopped: 0 true',
      ]);
    }));

  it('was stopped through zdaemon, and does not keep one from starting', () =>
    withHosts(async (hosts) => {
      const { directory, m1 } = hosts;
      const config = join(directory, 'zeo.conf');
      const socket = join(directory, 'zeo.sock');
      writeFileSync(
        config,
        `<zeo>\n  address ${socket}\n</zeo>\n<filestorage 1>\n  path ${fileOf(m1)}\n</filestorage>\n` +
          `<runner>\n  program ${venvProgram('runzeo')} -C ${config}\n  socket-name ${directory}/zd.sock\n` +
          `  transcript ${directory}/transcript\n  daemon true\n</runner>\n`,
      );
      const zeoctl = (verb: string): void => {
        const { status, stdout, stderr } = spawnSync(venvProgram('zeoctl'), ['-C', config, verb], { encoding: 'utf8' });
        assert.equal(status, 0, stdout + stderr);
      };
      zeoctl('start');
      try {
        await eventually('it serves', () => existsSync(socket));
      } finally {
        zeoctl('stop');
      }
      await eventually('it has stopped', () => mayServe(m1, nowhere(hosts)).exit === 0);
      // As fast as it can: no server may find its lock taken by the question.
      for (let n = 0; n < 3; n++) {
        const asking = Array.from({ length: 4 }, () => mayServeLater(m1, nowhere(hosts)));
        const zeo = await serve(hosts, m1);
        await zeo.end();
        await Promise.all(asking);
      }
    }));
});

async function mayServeLater(data: string, peer: string): Promise<void> {
  assertNoCrash(await Running.start(['may-serve', data, '--peer', peer, '--json']).end());
}
