import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Standing } from '../../src/report/standing.js';
import { tool } from '../support/monitor-tools.js';
import { aStanding, figures, monitoredOf, served } from '../support/monitored.js';
import { scratch, scripts } from './shell.js';
import { freePort } from './zeo.js';

const haproxy = tool('/usr/sbin/haproxy', 'haproxy');
const SAMPLE = join(scripts, 'haproxy', 'haproxy.cfg');

test('haproxy accepts the sample', { skip: haproxy.skip }, (t) => {
  const { status, output } = haproxy.run(['-c', '-f', SAMPLE]);
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /WARNING|ALERT/);
  const broken = join(scratch(t), 'broken.cfg');
  writeFileSync(broken, readFileSync(SAMPLE, 'utf8').replace('option httpchk', 'option httpcheck'));
  assert.notEqual(haproxy.run(['-c', '-f', broken]).status, 0);
});

/** A ZEO server that says its name to whoever connects. */
async function zeo(t: TestContext, name: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end(name));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  return port;
}

/** What the first bytes from this port are. */
function ask(port: number, request = ''): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => request !== '' && socket.write(request));
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(text));
  });
}

async function becomes(what: string, expected: RegExp, find: () => Promise<string>): Promise<void> {
  let found = '';
  for (let tries = 0; tries < 600; tries++) {
    found = await find();
    if (expected.test(found)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${what}: ${expected} never came, but ${JSON.stringify(found)}`);
}

test('haproxy follows a promotion, and knows whether there is a standby', { skip: haproxy.skip }, async (t) => {
  const dir = scratch(t);
  let standing: Partial<Standing> = {};
  let inStepAsOf = (): number => Date.now() - 500;
  const monitored = monitoredOf({ standing: async () => aStanding(standing) });
  const [storage] = monitored.storages;
  assert.ok(storage);
  Object.defineProperty(storage, 'figures', { get: () => figures({ inStepAsOf: inStepAsOf() }) });
  const watch = await served(t, monitored);
  const [m1, m2, front, monitor] = [await zeo(t, 'm1'), await zeo(t, 'm2'), await freePort(), await freePort()];
  const local = readFileSync(SAMPLE, 'utf8')
    .replace('192.168.1.11:8100', `127.0.0.1:${m1}`)
    .replace('192.168.1.12:8100', `127.0.0.1:${m2}`)
    .replaceAll('192.168.1.12:9177', `127.0.0.1:${watch.port}`)
    .replace('bind :8100', `bind 127.0.0.1:${front}`)
    .replace('127.0.0.1:8199', `127.0.0.1:${monitor}`)
    .replace(/inter \ds/g, 'inter 200ms');
  assert.doesNotMatch(local.replace(/^#.*$/gm, ''), /192\.168|:8100|:8199/);
  const path = join(dir, 'haproxy.cfg');
  writeFileSync(path, local);
  const child = spawn(haproxy.path, ['-db', '-f', path], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));

  const served1 = (): Promise<string> => ask(front);
  const standby = (): Promise<string> => ask(monitor, 'GET /standby HTTP/1.0\r\n\r\n');
  await becomes('the slave is a standby', /^HTTP\/1.. 200/, standby);
  await becomes('clients get m1', /^m1$/, served1);

  const long = Date.now() - 61_000;
  inStepAsOf = () => long;
  await becomes('a slave that is 61 s behind is no standby', /^HTTP\/1.. 503/, standby);
  assert.equal(await served1(), 'm1');

  standing = { role: 'promoted', state: 'promoted' };
  await becomes('after the promotion clients get m2', /^m2$/, served1);
  assert.match(await standby(), /^HTTP\/1.. 503/);

  standing = {};
  inStepAsOf = () => Date.now() - 500;
  await becomes('after the way back clients get m1', /^m1$/, served1);
  await becomes('and there is a standby again', /^HTTP\/1.. 200/, standby);
});
