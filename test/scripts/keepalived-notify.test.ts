import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { python } from '../support/venv.js';
import { Elected, PEER } from './elected.js';
import { run, scripts, writeScript } from './shell.js';
import { commit, giveRole, type Instance, makeInstance, roleOf } from './zeo.js';

/** What the service does with keepalived's states: a real ZEO, and a real address in a network of its own. */

const options = { skip: process.getuid?.() === 0 ? false : 'not run: a network namespace needs root' };

async function slave(t: TestContext): Promise<{ instance: Instance; elected: Elected }> {
  const instance = await makeInstance(t);
  await commit(instance.dataFs, 1);
  giveRole(instance.dataFs, 'slave', 1);
  return { instance, elected: await Elected.start(t, instance) };
}

/** The other host's ZEO: something that listens on its address. */
function listenAsPeer(t: TestContext, elected: Elected, port: number): () => void {
  const program = `import socket,time; s=socket.create_server(('${PEER}',${port})); time.sleep(100)`;
  const pid = elected.text('keepalived.pid').trim();
  const child = spawn('nsenter', ['-t', pid, '-n', '--', python(), '-c', program], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return () => child.kill('SIGKILL');
}

test(
  'MASTER: promotes, starts ZEO, and then brings the address; BACKUP, FAULT and STOP take both away',
  options,
  async (t) => {
    const { instance, elected } = await slave(t);
    for (const state of ['BACKUP', 'STOP', 'FAULT'] as const) elected.becomes(state);
    await elected.until('three states that change nothing', async () => elected.text('keepalived.state') === 'FAULT\n');
    assert.equal(roleOf(instance.dataFs), 'slave');

    elected.becomes('MASTER');
    let listened = false;
    await elected.until('the address is here', async () => {
      const here = await elected.hasAddress();
      if (!here) listened = await elected.listens();
      return here;
    });
    assert.ok(await elected.listens(), 'the address came without ZEO');
    assert.equal(roleOf(instance.dataFs), 'master');
    assert.match(elected.said, /this host serves at 192\.0\.2\.10/);
    process.stdout.write(`# ZEO was seen before the address: ${listened}\n`);

    for (const state of ['BACKUP', 'FAULT', 'STOP'] as const) {
      elected.becomes('MASTER');
      await elected.until('it serves again', async () => (await elected.hasAddress()) && (await elected.listens()));
      elected.becomes(state);
      await elected.until(`neither is here after ${state}`, async () => {
        return !(await elected.hasAddress()) && !(await elected.listens());
      });
    }
  },
);

test(
  'no start while the ZEO of the other host accepts connections, and a start as soon as it does not',
  options,
  async (t) => {
    const { instance, elected } = await slave(t);
    const end = listenAsPeer(t, elected, instance.port);
    const probe = `exec 3<>/dev/tcp/${PEER}/${instance.port}`;
    await elected.until(
      'the other one listens',
      async () => (await elected.inside(['bash', '-c', probe])).status === 0,
    );
    elected.becomes('MASTER');
    await elected.until('it says why', async () => /m2 answers on port \d+: it serves the site/.test(elected.said));
    assert.equal(roleOf(instance.dataFs), 'slave');
    assert.equal((await elected.check()).status, 0, 'a start that waits is no reason to step aside');
    end();
    await elected.until('the address is here', () => elected.hasAddress());
    assert.equal(roleOf(instance.dataFs), 'master');
  },
);

test('a state that follows at once ends a start, wherever it is', options, async (t) => {
  const { instance, elected } = await slave(t);
  for (const milliseconds of [0, 300, 1000]) {
    elected.becomes('MASTER');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    elected.becomes('BACKUP');
    await elected.until('the start has ended', async () => elected.text('keepalived.state') === 'BACKUP\n');
    await elected.until('nothing is here', async () => !(await elected.listens()) && !(await elected.hasAddress()));
    // Neither now nor later: the stop may be at work still, and so may be a control script that it has not seen.
    let quiet = 0;
    await elected.until('no ZEO is left', async () => {
      const { stdout } = await run('pgrep', ['-f', `${instance.dir}/(etc/zeo.conf|bin/zeoctl)`]);
      quiet = stdout === '' ? quiet + 1 : 0;
      return quiet === 15;
    });
  }
  elected.becomes('MASTER');
  await elected.until('it serves all the same', () => elected.hasAddress());
});

test('a start that is refused, or fails, holds the host back, and brings no address', options, async (t) => {
  const { instance, elected } = await slave(t);
  giveRole(instance.dataFs, 'superseded', 1);
  elected.becomes('MASTER');
  await elected.until('it holds back', async () => existsSync(elected.file('keepalived.held')));
  assert.match(elected.text('keepalived.held'), /the start of ZEO has ended with status 3/);
  assert.equal((await elected.check()).status, 1);

  giveRole(instance.dataFs, 'slave', 1);
  instance.set({ zeo_control: writeScript(join(instance.dir, 'bin', 'broken'), 'exit 1') });
  elected.becomes('BACKUP');
  elected.becomes('MASTER');
  await elected.until('it has failed', async () => /status 1; this host holds back/.test(elected.said));
  assert.equal((await elected.check()).status, 1);
  assert.equal(await elected.hasAddress(), false);
});

test('keepalived accepts the sample configuration', async (t) => {
  const found = await run('sh', ['-c', 'command -v keepalived']);
  if (found.status !== 0) {
    t.skip('not run: there is no keepalived here; test/cluster/keepalived has one in its hosts');
    return;
  }
  const result = await run('keepalived', ['-t', '-i', 'm1', '-f', join(scripts, 'keepalived', 'keepalived.conf')]);
  assert.equal(result.status, 0, result.stderr);
});

test('the sample configuration and the scripts name the same files', () => {
  const conf = readFileSync(join(scripts, 'keepalived', 'keepalived.conf'), 'utf8');
  assert.match(conf, /vrrp_notify_fifo \/run\/syncpozo\/keepalived\.fifo\n/);
  assert.match(conf, /file "\/run\/syncpozo\/keepalived\.term"/);
  for (const name of ['check', 'notify', 'files.sh']) assert.ok(existsSync(join(scripts, 'keepalived', name)));
});
