import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { IoFault } from '../io/fault.js';
import type { Log } from '../report/log.js';
import { Ages, type Clock, SYSTEM_CLOCK } from './ages.js';
import { type Answer, Answers, errorAnswer } from './answers.js';
import { Connections } from './connections.js';
import type { Monitored } from './monitored.js';
import { Snapshots } from './snapshot.js';
import { isLoopback, isOwnName, parseTarget } from './target.js';
import { Views } from './views.js';

export interface ServeOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly log: Log;
  /** For tests. */
  readonly clock?: Clock;
}

export interface Serving {
  readonly port: number;
  /** Ends every connection, also those in the middle of an answer. */
  close(): Promise<void>;
}

/** The request line and all headers together. */
const MOST_HEADER_BYTES = 8192;
const LIMITS = { connections: 256, requests: 32, answerMs: 10_000 };
/** For a request to arrive, from its first byte or from the connection on. */
const REQUEST_MS = 5000;
const IDLE_MS = 5000;
/** Between an error and the end of its connection: ended at once, the client might not see the error. */
const LINGER_MS = 500;
const OBSERVE_MS = 1000;

/**
 * Serves the figures, the health checks and the status page of a watch.
 *
 * - A request writes nothing, and reads the slaves' own files at most once a second.
 * - Connections, their headers and the time that each takes are bounded. No body is read.
 *
 * Throws an IoFault if it cannot listen there.
 */
export async function serve(monitored: Monitored, options: ServeOptions): Promise<Serving> {
  const { host, port, log, clock = SYSTEM_CLOCK } = options;
  const views = new Views(monitored, new Ages(clock), clock);
  const answers = new Answers(monitored, new Snapshots(monitored, clock, log), views);
  const connections = new Connections(LIMITS);
  const server = createServer({
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1000,
  });
  let bound: string = host;

  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (!connections.beginRequest(socket)) return;
    response.once('close', () => connections.endRequest(socket));
    answer(request)
      .catch((error: unknown) => {
        log.error({ url: request.url }, `a request could not be answered: ${error}`);
        return errorAnswer(500, 'the answer could not be made');
      })
      .then((found) => send(response, found))
      .catch(() => socket.destroy());
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return errorAnswer(405, 'GET and HEAD only');
    if (request.httpVersionMajor < 1) return errorAnswer(400, 'HTTP/1.0 and later only');
    if (hasBody(request)) return errorAnswer(400, 'a request has no body here');
    const target = parseTarget(request.url ?? '');
    if (!target) return errorAnswer(400, 'the address cannot be read');
    if ((request.headersDistinct['host']?.length ?? 0) > 1) return errorAnswer(400, 'Host is there twice');
    const name = target.authority ?? request.headers.host;
    if (name !== undefined && isLoopback(bound) && !isOwnName(name, monitored.host))
      return errorAnswer(400, 'the Host is no name of this machine: ask for localhost or 127.0.0.1');
    return answers.to(target);
  };

  server
    .on('connection', (socket) => connections.add(socket))
    .on('request', respond)
    // Without these, Node would ask for the body, or answer by itself.
    .on('checkContinue', respond)
    .on('checkExpectation', respond)
    .on('connect', (_request: IncomingMessage, socket: Duplex) => endWith(socket, '405 Method Not Allowed'))
    .on('clientError', (_error: Error, socket: Duplex) => {
      // An error behind a request whose answer is under way: bytes of both would mix.
      if (connections.isIdle(socket as Socket)) endWith(socket, '400 Bad Request');
      else socket.destroy();
    });
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  bound = address.address;
  const timer = setInterval(() => views.observe(), OBSERVE_MS).unref();
  reportAddress(address, log);
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

function send(response: ServerResponse, { status, type, body, policy }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policy ?? "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
    // What follows may be a body that was not asked for.
    ...(status === 400 || status === 405 ? { Connection: 'close' } : {}),
  });
  response.end(body);
}

/** Answers what is no request. Further bytes of it are dropped, for a moment. */
function endWith(socket: Duplex, status: string): void {
  if (!socket.writable || socket.writableEnded) return;
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFault(error, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // Accepting may fail for lack of descriptors; the connections that there are go on.
      server.on('error', () => {});
      resolve();
    });
  });
}

/** The codes of listening, with their texts. A port below 1024 is not a file that may not be read: it gets a code of its own. */
const LISTEN_FAULTS: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  EADDRINUSE: ['EADDRINUSE', 'the address is in use'],
  EADDRNOTAVAIL: ['EADDRNOTAVAIL', 'this machine does not have this address'],
  ENOTFOUND: ['EADDRNOTAVAIL', 'no address has this name'],
  EAI_AGAIN: ['EADDRNOTAVAIL', 'no address has this name'],
  EACCES: ['EPORT', 'this user may not listen there'],
  EPERM: ['EPORT', 'this user may not listen there'],
};

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): IoFault {
  const [code, detail] = LISTEN_FAULTS[error.code ?? ''] ?? [error.code ?? 'EUNKNOWN', error.message];
  return new IoFault('listen on', hostWithPort(host, port), code, detail);
}

function reportAddress({ address, port }: AddressInfo, log: Log): void {
  const facts = { address: hostWithPort(address, port) };
  if (isLoopback(address)) log.info(facts, 'figures and the status page are served');
  else {
    const hint = 'the figures name paths and hosts; let a firewall admit the monitors alone, or listen on 127.0.0.1';
    log.warn({ ...facts, hint }, 'figures and the status page are served to other machines, to everybody who asks');
  }
}

function hostWithPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
