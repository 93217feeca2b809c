import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { aStorage, get, monitoredOf, served } from '../support/monitored.js';

const MIB = 2 ** 20;

interface Client {
  readonly socket: Socket;
  /** Everything that has come back so far. */
  received(): string;
  readonly closed: Promise<void>;
}

function client(t: TestContext, port: number): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
    });
    // Being thrown out is what these clients are for.
    socket.on('error', () => {});
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    t.after(() => socket.destroy());
    socket.once('connect', () => resolve({ socket, received: () => text, closed }));
  });
}

/** Status lines of everything that was answered. */
function statuses(text: string): string[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status = '']) => status);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is in use, without garbage. */
function usedMib(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MIB;
}

async function scrape(port: number): Promise<void> {
  const { status, text } = await get(port, '/metrics');
  assert.equal(status, 200);
  assert.match(text, /^syncpozo_rounds_total\{/m);
}

describe('a hostile client gets a 400 or is thrown out:', () => {
  it('garbage', async (t) => {
    const { port } = await served(t, monitoredOf());
    const bytes = [
      ...Array.from({ length: 40 }, () => randomBytes(200)),
      Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
      Buffer.from('SSH-2.0-scanner\r\n'),
      Buffer.from('GET /metrics\r\n\r\n'),
      Buffer.from('GET /metrics HTTP/9.9\r\n\r\n'),
      Buffer.from('GET /metrics HTTP/1.1\r\n\r\n'),
      Buffer.from('GET /metrics HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n'),
      Buffer.from(
        'GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      ),
      Buffer.from('GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    ];
    for (const each of bytes) {
      const { socket, received, closed } = await client(t, port);
      // What is no complete request yet is one when nothing more can come.
      socket.end(each);
      await closed;
      assert.deepEqual([...new Set(statuses(received()))], ['400'], JSON.stringify(each.toString('latin1')));
    }
    await scrape(port);
  });

  it('a request line of 100 MB', async (t) => {
    const { port } = await served(t, monitoredOf());
    const { socket, received, closed } = await client(t, port);
    const before = usedMib();
    const piece = Buffer.alloc(MIB, 'a');
    socket.write('GET /');
    for (let sent = 0; sent < 100 && !socket.destroyed; sent++)
      if (!socket.write(piece)) await Promise.race([new Promise((go) => socket.once('drain', go)), closed]);
    const growth = usedMib() - before;
    await closed;
    assert.deepEqual(statuses(received()), ['400']);
    assert.ok(growth < 20, `${growth} MiB`);
    await scrape(port);
  });

  it('endless headers', async (t) => {
    const { port } = await served(t, monitoredOf());
    const { socket, received, closed } = await client(t, port);
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(5000)}`);
    await closed;
    assert.deepEqual(statuses(received()), ['400']);
  });

  it('a thousand idle connections, while monitors scrape', async (t) => {
    const { port } = await served(t, monitoredOf());
    const clients: Client[] = [];
    for (let n = 0; n < 1000; n++) {
      clients.push(await client(t, port));
      if (n % 100 === 99) await scrape(port);
    }
    await scrape(port);
    await Promise.all(clients.map(({ closed }) => closed));
    for (const { received } of clients)
      assert.deepEqual(
        statuses(received()).filter((status) => status !== '400'),
        [],
      );
    await scrape(port);
  });

  it('a request that comes byte by byte', async (t) => {
    const { port } = await served(t, monitoredOf());
    const { socket, received, closed } = await client(t, port);
    const began = Date.now();
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const timer = setInterval(() => socket.write('x'), 300);
    await closed;
    clearInterval(timer);
    assert.ok(Date.now() - began < 30_000);
    assert.deepEqual(statuses(received()), ['400']);
  });

  it('one that asks and never reads', async (t) => {
    // An answer that fills every buffer on the way.
    const lagHistory = Array.from({ length: 400_000 }, (_, n) => ({ time: n * 60_000, seconds: n }));
    const monitored = { ...monitoredOf(), storages: [{ ...aStorage(), lagHistory }] };
    const { port } = await served(t, monitored);
    const { socket, closed } = await client(t, port);
    socket.pause();
    socket.write('GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await scrape(port);
    const began = Date.now();
    // Only reading finds out that the server has ended the connection; by then the deadline has passed.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    socket.resume();
    await closed;
    assert.ok(Date.now() - began < 60_000);
    assert.ok(socket.bytesRead < 15_000_000, `${socket.bytesRead} bytes arrived`);
    assert.ok((await get(port, '/status.json')).text.length > 15_000_000);
  });

  it('thousands of requests at once on one connection; a few are answered in order', async (t) => {
    const { port } = await served(t, monitoredOf());
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const polite = await client(t, port);
    polite.socket.write(`${ask('/liveness').repeat(10)}${ask('/x')}${ask('/liveness')}`);
    const flood = await client(t, port);
    flood.socket.write(ask('/liveness').repeat(3000));
    await flood.closed;
    assert.ok(statuses(flood.received()).length <= 32);
    await polite.closed;
    assert.deepEqual(statuses(polite.received()), [...Array(10).fill('200'), '404', '200']);
    await scrape(port);
  });

  it('garbage behind a request', async (t) => {
    const { port } = await served(t, monitoredOf());
    const { socket, received, closed } = await client(t, port);
    socket.write('GET /liveness HTTP/1.1\r\nHost: localhost\r\n\r\n\x01\x02\x03\r\n\r\n');
    await closed;
    assert.ok(statuses(received()).length <= 2);
    for (const status of statuses(received())) assert.ok(['200', '400'].includes(status));
    await scrape(port);
  });

  it('many of all of them: memory and connections do not grow', async (t) => {
    const { port } = await served(t, monitoredOf());
    const attack = async (): Promise<void> => {
      const kinds = [
        randomBytes(5000),
        Buffer.alloc(100_000, 'a'),
        Buffer.from('GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500)),
        Buffer.from('GET /metrics HTTP/1.1\r\nHost: '),
      ];
      const clients = await Promise.all(Array.from({ length: 60 }, () => client(t, port)));
      clients.forEach(({ socket }, n) => {
        socket.write(kinds[n % kinds.length] ?? '');
        // Some leave in the middle.
        if (n % 3 === 0) socket.destroy();
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const { socket } of clients) socket.destroy();
    };
    for (let n = 0; n < 5; n++) await attack();
    const before = usedMib();
    for (let n = 0; n < 20; n++) await attack();
    await scrape(port);
    assert.ok(usedMib() - before < 20, `${before} MiB before, ${usedMib()} MiB after`);
  });
});
