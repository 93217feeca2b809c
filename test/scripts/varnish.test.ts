import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, run, scratch, scripts } from './shell.js';
import { freePort, portListens } from './zeo.js';

const varnishd = '/usr/sbin/varnishd';
const skip = existsSync(varnishd) ? false : `not run: there is no ${varnishd} here (Debian: apt-get install varnish)`;
const SAMPLE = join(scripts, 'varnish', 'default.vcl');

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

function ask(
  port: number,
  path: string,
  method = 'GET',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { host: 'www.example.org', ...headers } };
    const sent = request({ ...options, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.once('error', reject).end();
  });
}

/** A balancer whose pages are numbered, and are good for a second; `fails`: what it does meanwhile. */
async function balancer(t: TestContext): Promise<{ port: number; fail: (how: 'hangs' | 'errs' | undefined) => void }> {
  let page = 0;
  let fails: 'hangs' | 'errs' | undefined;
  const waiting: (() => void)[] = [];
  const server = createServer((req, res) => {
    const answer = (): void => {
      const cookies = ['ROUTEID=.m1; path=/; HttpOnly', ...(req.url === '/mine' ? ['cart=full'] : [])];
      res.setHeader('set-cookie', cookies);
      res.setHeader('cache-control', 'max-age=1');
      res.statusCode = fails === 'errs' ? 503 : 200;
      res.end(`${req.method} ${++page} ${req.headers.cookie ?? 'no cookie'}`);
    };
    if (fails === 'hangs') waiting.push(answer);
    else answer();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  const fail = (how: typeof fails): void => {
    fails = how;
    if (how === undefined) for (const answer of waiting.splice(0)) answer();
  };
  return { port, fail };
}

async function start(t: TestContext, backend: number): Promise<number> {
  const dir = scratch(t);
  // Its compiler runs as a user of its own.
  chmodSync(dir, 0o755);
  const vcl = join(dir, 'default.vcl');
  const text = readFileSync(SAMPLE, 'utf8');
  writeFileSync(
    vcl,
    text.replaceAll('.port = "8079"', `.port = "${backend}"`).replace('.timeout = 2s', '.timeout = 500ms'),
  );
  const port = await freePort();
  const child = spawn(varnishd, ['-F', '-n', join(dir, 'varnish'), '-a', `127.0.0.1:${port}`, '-f', vcl], {
    stdio: 'ignore',
  });
  t.after(async () => {
    child.kill('SIGTERM');
    await eventually('varnishd has ended', () => child.exitCode !== null || child.signalCode !== null);
  });
  let isUp = false;
  for (let tries = 0; tries < 300 && !isUp; tries++) {
    await sleep(0.1);
    isUp = await portListens(port);
  }
  assert.ok(isUp, `varnishd is up (${child.exitCode})`);
  return port;
}

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

test('varnish: what is cached is shown while the site fails over, and nobody gets the cookie of another', {
  skip,
}, async (t) => {
  const { port: backend, fail } = await balancer(t);
  const port = await start(t, backend);
  await sleep(3);

  const first = await ask(port, '/', 'GET', { cookie: 'ROUTEID=.m1; theme=dark' });
  assert.match(first.body, /^GET \d+ no cookie$/);
  assert.equal(first.headers['set-cookie'], undefined);
  const again = await ask(port, '/');
  assert.deepEqual([again.body, again.headers['x-cache']], [first.body, 'hit']);

  const member = { cookie: 'ROUTEID=.m2; __ac=secret' };
  const own = [await ask(port, '/', 'GET', member), await ask(port, '/', 'GET', member)];
  assert.match(own[0]?.body ?? '', /ROUTEID=\.m2; __ac=secret$/);
  assert.notEqual(own[0]?.body, own[1]?.body, 'pages of his own');
  assert.equal(own[0]?.headers['set-cookie']?.length, 1, 'and the cookie of the balancer');
  assert.notEqual((await ask(port, '/', 'POST')).body, (await ask(port, '/', 'POST')).body);
  const mine = [await ask(port, '/mine'), await ask(port, '/mine')];
  assert.notEqual(mine[0]?.body, mine[1]?.body, 'a page that sets a cookie is nobody else’s');
  assert.match(String(mine[0]?.headers['set-cookie']), /cart=full/);

  assert.equal((await ask(port, '/', 'PURGE')).status, 200);
  const purged = await ask(port, '/');
  assert.notEqual(purged.body, first.body);

  fail('hangs');
  await sleep(5);
  const stale = await ask(port, '/');
  assert.deepEqual([stale.status, stale.body], [200, purged.body], 'long after its second');
  const waiting = [ask(port, '/never-seen'), ask(port, '/', 'POST')];
  await sleep(1);
  fail(undefined);
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200, 'it has waited, and has not failed');

  fail('errs');
  await sleep(4);
  for (let n = 0; n < 3; n++) assert.equal((await ask(port, '/')).status, 200);
  assert.equal((await ask(port, '/not-cached')).status, 503);
});

test('control: varnishd finds a mistake in the sample', { skip }, async (t) => {
  const path = join(scratch(t), 'bad.vcl');
  writeFileSync(path, readFileSync(SAMPLE, 'utf8').replace('return (purge)', 'return (perge)'));
  assert.notEqual((await run(varnishd, ['-C', '-f', path])).status, 0);
});
