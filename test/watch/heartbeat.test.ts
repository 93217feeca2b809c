import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Log, SILENT } from '../../src/report/log.js';
import { type HeartbeatOptions, heartbeatOf } from '../../src/watch/heartbeat.js';
import { withTempDir } from '../support/site.js';

interface Scene {
  readonly url: string;
  /** Connections that the server has seen, and those that are open. */
  readonly seen: () => number;
  readonly open: () => number;
  /** The log as `message fault`. */
  readonly lines: string[];
  readonly options: HeartbeatOptions;
}

/** A server that answers each connection's bytes as `answer` does. */
async function withServer(
  server: Server,
  use: (scene: Scene) => Promise<void>,
  { path = '/ping/secret', scheme = 'http' } = {},
): Promise<void> {
  const sockets = new Set<Socket>();
  let seen = 0;
  server.on('connection', (socket: Socket) => {
    seen++;
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lines: string[] = [];
  const note = (fields: object, message: string): void => {
    lines.push(`${message} ${'fault' in fields ? fields.fault : ''}`.trim());
    assert.ok(!JSON.stringify(fields).includes('secret'), 'the log has the URL');
  };
  const log: Log = { ...SILENT, warn: note, info: note };
  try {
    const url = `${scheme}://127.0.0.1:${port}${path}`;
    await use({ url, seen: () => seen, open: () => sockets.size, lines, options: { log, everyMs: 0, limitMs: 400 } });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function answering(text: string | Buffer, after: (socket: Socket) => void = (socket) => void socket.end()): Server {
  return createServer((socket) => {
    socket.once('data', () => {
      socket.write(text);
      after(socket);
    });
  });
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 4000; tries++) {
    if (holds()) return;
    await pause(5);
  }
  assert.fail(`never happened: ${what}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK';
const FAILS = 'the heartbeat URL cannot be called';

describe('the heartbeat', () => {
  it('is a GET of the URL, on a connection of its own that does not stay', async () => {
    const requests: string[] = [];
    const server = createHttpServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers['user-agent']} ${request.headers.connection}`);
      response.end('OK');
    });
    await withServer(server, async ({ url, options, lines, open, seen }) => {
      const heartbeat = heartbeatOf(url, options);
      for (let n = 1; n <= 3; n++) {
        heartbeat.beat();
        await eventually('it arrives', () => requests.length === n && open() === 0);
        await pause(20);
      }
      assert.deepEqual(requests, Array(3).fill('GET /ping/secret syncpozo close'));
      assert.equal(seen(), 3);
      assert.deepEqual(lines, []);
      heartbeat.close();
      heartbeat.beat();
      await pause(100);
      assert.equal(seen(), 3);
    });
  });

  it('is called every few seconds at the most, and one at a time', async () => {
    await withServer(
      createHttpServer((_, response) => void response.end()),
      async ({ url, options, seen }) => {
        const heartbeat = heartbeatOf(url, { ...options, everyMs: 60_000 });
        for (let n = 0; n < 50; n++) {
          heartbeat.beat();
          await pause(2);
        }
        assert.equal(seen(), 1);
      },
    );
    const silent = createServer((socket) => void socket.resume());
    await withServer(silent, async ({ url, options, seen, open }) => {
      const heartbeat = heartbeatOf(url, { ...options, limitMs: 10_000 });
      for (let n = 0; n < 50; n++) {
        heartbeat.beat();
        await pause(2);
      }
      assert.equal(seen(), 1);
      heartbeat.close();
      await eventually('the connection ends', () => open() === 0);
    });
  });

  it('without a URL does nothing; with no URL at all is refused at once', () => {
    heartbeatOf(undefined, { log: SILENT }).beat();
    assert.throws(() => heartbeatOf('nowhere', { log: SILENT }), TypeError);
  });

  const redirect = 'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n';
  const flood = (line: string) => (socket: Socket) => {
    const text = line.repeat(500);
    const more = (): void => {
      while (!socket.destroyed && socket.write(text));
      socket.once('drain', more);
    };
    more();
  };
  const failures: readonly (readonly [string, Server, RegExp])[] = [
    ['status 500', answering('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'), /it answers with status 500$/],
    ['a redirect', answering(redirect), /status 302; redirects are not followed$/],
    ['silence', createServer((socket) => void socket.resume()), /no answer within 0\.4 s$/],
    ['a reset', createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())), /ECONNRESET$/],
    ['an end without an answer', answering(''), /socket hang up$/],
    ['garbage', answering('SSH-2.0-OpenSSH_9.2\r\n\r\n'), /Parse Error/],
    ['headers without end', answering('HTTP/1.1 200 OK\r\n', flood('x-a: b\r\n')), /Header overflow/],
    ['interim answers without end', answering('', flood('HTTP/1.1 102 Processing\r\n\r\n')), /no answer within/],
    ['half an answer', answering('HTTP/1.1 200 O', () => {}), /no answer within/],
  ];
  for (const [what, server, fault] of failures) {
    it(`reports ${what}, once, and leaves no connection behind`, async () => {
      await withServer(server, async ({ url, options, lines, open, seen }) => {
        const heartbeat = heartbeatOf(url, options);
        for (let n = 1; n <= 3; n++) {
          heartbeat.beat();
          await eventually('a connection', () => seen() === n);
          await eventually('its end', () => open() === 0);
          await pause(20);
        }
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.ok(lines[0]?.startsWith(FAILS));
        assert.match(lines[0] ?? '', fault);
      });
    });
  }

  for (const [what, server] of [
    ['a body without end', answering('HTTP/1.1 200 OK\r\n\r\n', flood('x'.repeat(100)))],
    ['a body that never comes', answering('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', () => {})],
  ] as const) {
    it(`takes ${what} for an answer, because of its status, and cuts it off`, async () => {
      await withServer(server, async ({ url, options, lines, open, seen }) => {
        const heartbeat = heartbeatOf(url, options);
        for (let n = 1; n <= 2; n++) {
          heartbeat.beat();
          await eventually('a connection', () => seen() === n);
          await eventually('its end', () => open() === 0);
          await pause(20);
        }
        assert.deepEqual(lines, []);
      });
    });
  }

  it('reports a port where nobody listens, a name that does not exist and a scheme that it does not know', async () => {
    await withServer(createServer(), async ({ options, lines }) => {
      for (const url of ['http://127.0.0.1:1/', 'http://no-such-host.invalid/', 'ftp://127.0.0.1/']) {
        lines.length = 0;
        heartbeatOf(url, { ...options, limitMs: 20_000 }).beat();
        await eventually('a report', () => lines.length === 1);
        assert.match(lines[0] ?? '', /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|"ftp:" not supported/);
      }
    });
  });

  it('reports that it works again, and the next failure', async () => {
    let status = 500;
    const server = createHttpServer((_, response) => void response.writeHead(status).end());
    await withServer(server, async ({ url, options, lines, open, seen }) => {
      const heartbeat = heartbeatOf(url, options);
      for (const [n, next] of [500, 200, 204, 500].entries()) {
        status = next;
        heartbeat.beat();
        await eventually('an answer', () => seen() === n + 1 && open() === 0);
        await pause(20);
      }
      const failed = `${FAILS} it answers with status 500`;
      assert.deepEqual(lines, [failed, 'the heartbeat URL answers again', failed]);
    });
  });

  it('refuses a certificate that nobody vouches for', async (t) => {
    await withTempDir(async (directory) => {
      const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const made = spawnSync('openssl', [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        certificate,
        ...subject,
      ]);
      if (made.status !== 0) return t.skip('not run: there is no openssl here (Debian: apt-get install openssl)');
      const server = createHttpsServer(
        { key: readFileSync(key), cert: readFileSync(certificate) },
        (_, response) => void response.end(OK),
      );
      await withServer(
        server,
        async ({ url, options, lines }) => {
          heartbeatOf(url, { ...options, limitMs: 10_000 }).beat();
          await eventually('a report', () => lines.length === 1);
          assert.match(lines[0] ?? '', /self-signed certificate/);
        },
        { scheme: 'https' },
      );
    });
  });
});
