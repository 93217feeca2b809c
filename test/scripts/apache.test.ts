import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, run, scratch, scripts } from './shell.js';
import { freePort } from './zeo.js';

const apache = '/usr/sbin/apache2';
const modules = '/usr/lib/apache2/modules';
const skip = existsSync(apache) ? false : `not run: there is no ${apache} here (Debian: apt-get install apache2)`;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A Zope client that answers with its name and the request. */
async function zope(t: TestContext, name: string): Promise<{ port: number; server: Server }> {
  const server = createServer((req, res) => res.end(`${name} ${req.headers.host} ${req.url}`));
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  t.after(() => server.close());
  return { port, server };
}

/** The sample with this test's ports, inside what Debian's apache2.conf and a2enmod would add. */
function configure(dir: string, port: number, zopePorts: readonly [number, number]): string {
  const sample = readFileSync(join(scripts, 'apache', 'balancer.conf'), 'utf8');
  const enabled = /a2enmod (.*)/.exec(sample)?.[1]?.split(' ') ?? [];
  const local = sample
    .replace('<VirtualHost *:80>', `<VirtualHost 127.0.0.1:${port}>`)
    .replace(/^(Define zope_1) .*$/m, `$1 http://127.0.0.1:${zopePorts[0]}`)
    .replace(/^(Define zope_2) .*$/m, `$1 http://127.0.0.1:${zopePorts[1]}`);
  assert.notEqual(local, sample);
  const lines = [
    `ServerRoot ${dir}`,
    `DefaultRuntimeDir ${dir}`,
    `PidFile ${dir}/apache.pid`,
    `Mutex file:${dir} default`,
    'ServerName localhost',
    `Define APACHE_LOG_DIR ${dir}`,
    `ErrorLog ${dir}/error.log`,
    // Debian enables these by default.
    ...['mpm_event', 'authz_core', 'authz_host', ...enabled].map(
      (name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`,
    ),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    `Listen 127.0.0.1:${port}`,
    local,
  ];
  const path = join(dir, 'apache.conf');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function get(port: number, path: string, cookie?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'www.example.org', ...(cookie === undefined ? {} : { cookie }) };
    const req = request({ host: '127.0.0.1', port, path, headers }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      res.once('end', () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }));
    });
    req.once('error', reject).end();
  });
}

async function startApache(t: TestContext, conf: string, dir: string): Promise<ChildProcess> {
  const child = spawn(apache, ['-f', conf, '-DFOREGROUND'], { stdio: 'ignore' });
  t.after(async () => {
    child.kill('SIGTERM');
    await eventually('apache has ended', () => child.exitCode !== null || child.signalCode !== null);
  });
  await eventually('apache is up', () => child.exitCode !== null || existsSync(join(dir, 'apache.pid')));
  assert.equal(
    child.exitCode,
    null,
    existsSync(join(dir, 'error.log')) ? readFileSync(join(dir, 'error.log'), 'utf8') : '',
  );
  return child;
}

test('the balancer for real: Zope paths, sticky visitors, a dead client, no back doors', { skip }, async (t) => {
  const dir = scratch(t);
  const [one, two] = [await zope(t, 'm1'), await zope(t, 'm2')];
  const port = await freePort();
  const conf = configure(dir, port, [one.port, two.port]);
  const syntax = await run(apache, ['-t', '-f', conf]);
  assert.equal(syntax.status, 0, syntax.stderr);
  assert.match(syntax.stderr, /Syntax OK/);
  await startApache(t, conf, dir);

  const first = await get(port, '/news/today?x=1');
  assert.equal(first.status, 200);
  assert.match(
    first.body,
    /^m[12] www\.example\.org \/VirtualHostBase\/http\/www\.example\.org:80\/Plone\/VirtualHostRoot\/news\/today\?x=1$/,
  );
  // What a name can have in it, Zope has to get as it was sent: a file may be called `which?.pdf`.
  const name = '/news/@@download/file/which%3F%20100%25%20%C3%BC%23.pdf';
  const download = await get(port, name);
  assert.equal(download.status, 200);
  const [, passed = ''] = /VirtualHostRoot(.*)$/.exec(download.body) ?? [];
  assert.equal(decodeURIComponent(passed), decodeURIComponent(name));
  assert.ok(passed.includes('%3F') && passed.includes('%25') && passed.includes('%23'), passed);

  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  const home = first.body.slice(0, 2);
  assert.equal(cookie, `ROUTEID=.${home}`);

  // Visitors without a cookie are spread over both, one with a cookie stays.
  const spread = new Set<string>();
  for (let i = 0; i < 10; i += 1) spread.add((await get(port, '/')).body.slice(0, 2));
  assert.deepEqual([...spread].sort(), ['m1', 'm2']);
  for (let i = 0; i < 10; i += 1) {
    const again = await get(port, '/', cookie);
    assert.equal(again.body.slice(0, 2), home);
    assert.equal(again.headers['set-cookie'], undefined);
  }

  for (const path of ['/VirtualHostBase/http/evil.example:80/VirtualHostRoot/', '/a/%56irtualHostBase/']) {
    assert.equal((await get(port, path)).status, 403, path);
  }
  const manager = await get(port, '/balancer-manager');
  assert.equal(manager.status, 200);
  assert.match(manager.body, /Load Balancer Manager/);

  const [dead, other] = home === 'm1' ? [one, 'm2'] : [two, 'm1'];
  dead.server.closeAllConnections();
  await new Promise((resolve) => dead.server.close(resolve));
  const moved = await get(port, '/', cookie);
  assert.equal(moved.status, 200);
  assert.equal(moved.body.slice(0, 2), other);
  assert.match(String(moved.headers['set-cookie']), new RegExp(`^ROUTEID=\\.${other};`));

  // The check of the sample's cluster.web is none of Zope.
  const [, check = ''] =
    /check: http:..127\.0\.0\.1(\S*)/.exec(readFileSync(join(scripts, 'syncpozo.yml'), 'utf8')) ?? [];
  one.server.closeAllConnections();
  two.server.closeAllConnections();
  await Promise.all([one, two].map(({ server }) => new Promise((resolve) => server.close(resolve))));
  assert.equal((await get(port, '/')).status, 503);
  assert.equal((await get(port, check)).status, 200);
});

/** A port that takes connections until its queue is full and then answers none, as a host without power. */
async function deadHost(t: TestContext): Promise<number> {
  const port = await freePort();
  const program = `
import socket, sys, time
server = socket.socket()
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(0)
first = socket.create_connection(server.getsockname())
print('full', flush=True)
time.sleep(120)`;
  const child = spawn('python3', ['-c', program, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return port;
}

test('requests wait while the client of the host that is left is restarted, and none is sent twice', {
  skip,
}, async (t) => {
  const dir = scratch(t);
  const silent = await deadHost(t);
  const client = await freePort();
  const port = await freePort();
  await startApache(t, configure(dir, port, [silent, client]), dir);
  const bodies: number[] = [];
  const waiting = Array.from({ length: 8 }, (_, n) => send(port, n % 2 === 0 ? '' : 'x'.repeat(n * 10_000)));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const server = createServer((req, res) => {
    let size = 0;
    req.on('data', (part: Buffer) => {
      size += part.length;
    });
    req.on('end', () => {
      bodies.push(size);
      res.end('m2');
    });
  });
  server.listen(client, '127.0.0.1');
  t.after(() => server.close());
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([200]));
  assert.deepEqual(
    bodies.sort((a, b) => a - b),
    [0, 0, 0, 0, 10_000, 30_000, 50_000, 70_000],
  );
});

/** A POST if there is a body. Returns the status. */
function send(port: number, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const method = body === '' ? 'GET' : 'POST';
    const options = { host: '127.0.0.1', port, path: '/', method, headers: { host: 'www.example.org' }, agent: false };
    const req = request(options, (res) => {
      res.resume().once('end', () => resolve(res.statusCode ?? 0));
    });
    req.once('error', reject).end(body);
  });
}

test('control: the check finds a directive that no module knows', { skip }, async (t) => {
  const dir = scratch(t);
  const conf = configure(dir, await freePort(), [8080, 8081]);
  writeFileSync(conf, `${readFileSync(conf, 'utf8')}NoSuchDirective on\n`);
  const syntax = await run(apache, ['-t', '-f', conf]);
  assert.notEqual(syntax.status, 0);
  assert.match(syntax.stderr, /NoSuchDirective/);
});
