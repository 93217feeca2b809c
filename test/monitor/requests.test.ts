import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { IoFault } from '../../src/io/fault.js';
import { serve } from '../../src/monitor/serve.js';
import { isOwnName, parseTarget } from '../../src/monitor/target.js';
import { SILENT } from '../../src/report/log.js';
import { hintOf } from '../../src/round/exit.js';
import { aStanding, get, monitoredOf, served } from '../support/monitored.js';

/** Sends bytes, and returns all that comes back until the server ends the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject).once('close', () => resolve(answer));
  });
}

/** Sends a well-formed request for any target, and returns the status. */
function statusOf(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject).end();
  });
}

describe('the server of a watch', () => {
  it('answers GET and HEAD, with headers that a browser obeys', async (t) => {
    const { port } = await served(t, monitoredOf());
    for (const path of ['/', '/metrics', '/status.json', '/liveness', '/readiness', '/promotable', '/slave?lag=60']) {
      const got = await get(port, path);
      assert.equal(got.status, 200, path);
      assert.equal(got.headers.get('cache-control'), 'no-store');
      assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(got.headers.get('referrer-policy'), 'no-referrer');
      assert.match(got.headers.get('content-security-policy') ?? '', /^default-src 'none';/);
      assert.doesNotMatch(got.headers.get('content-security-policy') ?? '', /unsafe/);
      const head = await get(port, path, 'HEAD');
      assert.deepEqual([head.status, head.text], [200, ''], path);
      assert.ok(Number(head.headers.get('content-length')) > 0, path);
    }
  });

  it('refuses other methods and bodies', async (t) => {
    const { port } = await served(t, monitoredOf());
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])
      assert.equal(await statusOf(port, '/metrics', {}, method), 405, method);
    assert.match(await raw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'), /^HTTP\/1.1 405 /);
    const body = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';
    assert.match(await raw(port, `${body}Content-Length: 100000000\r\n\r\nx`), /^HTTP\/1.1 400 /);
    assert.match(await raw(port, `${body}Transfer-Encoding: chunked\r\n\r\n`), /^HTTP\/1.1 400 /);
    const expecting = await raw(port, `${body}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`);
    assert.match(expecting, /^HTTP\/1.1 400 /);
  });

  it('knows its pages by one spelling each', async (t) => {
    const { port } = await served(t, monitoredOf());
    for (const path of ['//', '/../metrics', '/metrics/', '/%6detrics', '/METRICS', '/x', '/..%2f', '/favicon.ico'])
      assert.equal(await statusOf(port, path), 404, path);
    for (const path of ['*', 'metrics', 'ftp://localhost/metrics', 'http://'])
      assert.equal(await statusOf(port, path), 400, path);
    assert.equal(await statusOf(port, 'http://localhost/metrics'), 200);
    assert.equal(await statusOf(port, 'http://evil.example/metrics'), 400);
    assert.deepEqual(parseTarget('/a?b=1')?.path, '/a');
  });

  it('answers under a name of this machine only, where it listens for this machine only', async (t) => {
    const { port } = await served(t, monitoredOf());
    for (const host of ['localhost', 'localhost:9177', '127.0.0.1:1', '[::1]:9177', 'm2', 'M2:80', 'a.localhost'])
      assert.equal(await statusOf(port, '/metrics', { host }), 200, host);
    for (const host of ['evil.example', 'evil.example:9177', 'm2.evil.example', '127.0.0.1.evil.example', '[x]'])
      assert.equal(await statusOf(port, '/metrics', { host }), 400, host);
    // HAProxy's check, without any Host.
    assert.match(await raw(port, 'GET /slave?lag=60 HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /);
    const twice = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n';
    assert.match(await raw(port, twice), /^HTTP\/1.1 400 /);
    assert.ok(!isOwnName('', 'm2'));
  });

  it('answers to any name where everybody may ask, and warns', async (t) => {
    const warnings: string[] = [];
    const log = {
      ...SILENT,
      warn: (fields: object, text: string) => void warnings.push(`${text} ${JSON.stringify(fields)}`),
    };
    const serving = await serve(monitoredOf(), { host: '0.0.0.0', port: 0, log });
    t.after(() => serving.close());
    assert.equal(await statusOf(serving.port, '/metrics', { host: 'm2.example.org:9177' }), 200);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /to other machines.*0\.0\.0\.0.*hint/);
    await served(t, monitoredOf(), log);
    assert.equal(warnings.length, 1);
  });

  it('reports an address that it cannot have, with a hint', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const listens = (host: string, at: number) => serve(monitoredOf(), { host, port: at, log: SILENT });
    await assert.rejects(listens('127.0.0.1', port), (error: unknown) => {
      assert.ok(error instanceof IoFault);
      assert.equal(error.message, `listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE)`);
      assert.match(hintOf(error) ?? '', /--listen/);
      return true;
    });
    await assert.rejects(listens('192.0.2.1', 0), /listen on 192.0.2.1:0: .*\(EADDRNOTAVAIL\)/);
  });

  it('reads the slaves at most once a second, one reading at a time', async (t) => {
    let [readings, running, most] = [0, 0, 0];
    const standing = async () => {
      readings++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running--;
      return aStanding();
    };
    const { port } = await served(t, monitoredOf({ standing }));
    const began = Date.now();
    const paths = ['/metrics', '/status.json', '/readiness', '/slave?lag=7'];
    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 40 }, (_, n) => get(port, paths[n % paths.length] ?? '/')));
    assert.equal(most, 1);
    assert.ok(readings <= 1 + (Date.now() - began) / 1000, `${readings} readings`);
  });

  it('answers with what it knows where the disk of a slave hangs, and reads it once', async (t) => {
    let readings = 0;
    const standing = () => {
      readings++;
      return new Promise<never>(() => {});
    };
    const { port } = await served(t, monitoredOf({ standing }, { name: 'other' }));
    for (let n = 0; n < 2; n++) {
      const { status, text } = await get(port, '/readiness');
      assert.equal(status, 503);
      const { storages } = JSON.parse(text);
      assert.match(storages.main.why, /have not answered for 5 s/);
      assert.equal(storages.other.ok, true);
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    assert.equal(readings, 1);
  });
});
