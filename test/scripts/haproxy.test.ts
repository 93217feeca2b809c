import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
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

interface Watch {
  readonly port: number;
  standing: Partial<Standing>;
  inStepAsOf: () => number;
}

const now = (): number => Date.now() - 500;

async function watch(t: TestContext, standing: Partial<Standing>): Promise<Watch> {
  const state = { port: 0, standing, inStepAsOf: now };
  const monitored = monitoredOf({ standing: async () => aStanding(state.standing) });
  const [storage] = monitored.storages;
  assert.ok(storage);
  Object.defineProperty(storage, 'figures', { get: () => figures({ inStepAsOf: state.inStepAsOf() }) });
  state.port = (await served(t, monitored)).port;
  return state;
}

const PROMOTED = { role: 'promoted', state: 'promoted' } as const;
const SUPERSEDED = { role: 'superseded', state: 'unknown' } as const;
const SLAVE = {};

test('haproxy follows the roles of two equal hosts, and knows whether there is a standby', {
  skip: haproxy.skip,
}, async (t) => {
  const dir = scratch(t);
  const [w1, w2] = [await watch(t, PROMOTED), await watch(t, SLAVE)];
  const [m1, m2, front, monitor] = [await zeo(t, 'm1'), await zeo(t, 'm2'), await freePort(), await freePort()];
  const path = join(dir, 'haproxy.cfg');
  writeFileSync(
    path,
    readFileSync(SAMPLE, 'utf8')
      .replace('192.168.1.11:8100', `127.0.0.1:${m1}`)
      .replace('192.168.1.12:8100', `127.0.0.1:${m2}`)
      .replaceAll('192.168.1.11:9177', `127.0.0.1:${w1.port}`)
      .replaceAll('192.168.1.12:9177', `127.0.0.1:${w2.port}`)
      .replace('bind :8100', `bind 127.0.0.1:${front}`)
      .replace('bind :8080', `bind 127.0.0.1:${await freePort()}`)
      .replace('127.0.0.1:8199', `127.0.0.1:${monitor}`)
      .replace('inter 1s', 'inter 200ms'),
  );
  const child = spawn(haproxy.path, ['-db', '-f', path], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));

  const server = (): Promise<string> => ask(front);
  const standby = (): Promise<string> => ask(monitor, 'GET /standby HTTP/1.0\r\n\r\n');
  await becomes('the slave is a standby', /^HTTP\/1.. 200/, standby);
  await becomes('clients get m1', /^m1$/, server);

  const long = Date.now() - 61_000;
  w2.inStepAsOf = () => long;
  await becomes('a slave that is 61 s behind is no standby', /^HTTP\/1.. 503/, standby);
  assert.equal(await server(), 'm1');

  w2.standing = PROMOTED;
  await becomes('while both say that they serve, nobody gets anything', /^$/, server);
  w1.standing = SUPERSEDED;
  await becomes('the side that was superseded gets none', /^m2$/, server);
  assert.match(await standby(), /^HTTP\/1.. 503/);

  w1.standing = SLAVE;
  await becomes('after the way back there is a standby again', /^HTTP\/1.. 200/, standby);
  assert.equal(await server(), 'm2');
  w2.standing = { state: 'unknown', role: 'unreadable' };
  await becomes('without the watch of m2, its slave says who serves', /^m2$/, server);
  w1.standing = PROMOTED;
  await becomes('and m1 gets the clients when it was promoted', /^m1$/, server);
  w1.standing = SUPERSEDED;
  await becomes('nobody serves', /^$/, server);
});

/** A Zope client that says its name and the path. */
async function zope(t: TestContext, name: string, port: number): Promise<Server> {
  const server = createHttpServer((req, res) => res.end(`${name} ${req.url}`));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  return server;
}

test('haproxy before Zope: sticky visitors, and requests that wait for a client', { skip: haproxy.skip }, async (t) => {
  const [m1, m2, front] = [await freePort(), await freePort(), await freePort()];
  const path = join(scratch(t), 'haproxy.cfg');
  const text = readFileSync(SAMPLE, 'utf8')
    .replace('retries 16', 'retries 6')
    .replaceAll('192.168.1.11:8080', `127.0.0.1:${m1}`)
    .replaceAll('192.168.1.12:8080', `127.0.0.1:${m2}`)
    .replace('bind :8080', `bind 127.0.0.1:${front}`)
    .replace('bind :8100', `bind 127.0.0.1:${await freePort()}`)
    .replace('127.0.0.1:8199', `127.0.0.1:${await freePort()}`);
  writeFileSync(path, text);
  const one = await zope(t, 'm1', m1);
  const two = await zope(t, 'm2', m2);
  const child = spawn(haproxy.path, ['-db', '-f', path], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const get = (target: string, cookie = ''): Promise<string> =>
    ask(front, `GET ${target} HTTP/1.0\r\nHost: www.example.org\r\nCookie: ${cookie}\r\n\r\n`);
  await becomes('the site answers', /^HTTP\/1.. 200/, () => get('/'));
  assert.match(
    await get('/a?b=1', 'ROUTEID=m2'),
    /\r\nm2 \/VirtualHostBase\/http\/www\.example\.org:80\/Plone\/VirtualHostRoot\/a\?b=1$/,
  );
  assert.match(await get('/'), /^set-cookie: ROUTEID=m[12]; path=\/; HttpOnly; SameSite=Lax\r$/im);
  assert.match(await get('/a/%56irtualHostBase/'), /^HTTP\/1.. 403/);

  for (const server of [one, two]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const waiting = [get('/'), get('/', 'ROUTEID=m2'), ask(front, 'POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody')];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await zope(t, 'm2', m2);
  for (const answer of await Promise.all(waiting)) assert.match(answer, /^HTTP\/1.. 200[\s\S]*\r\nm2 /);
});
