import { lookup } from 'node:dns';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';

/**
 * Calls a URL after rounds that leave every storage in step: a dead man's switch. Whoever serves the URL raises an alarm when the
 * calls stop, also when this host is gone.
 *
 * Invariants:
 *  * `beat` returns at once, and neither it nor anything that follows throws.
 *  * at most one request at a time, and one every few seconds. No connection is kept.
 *  * an answer is status 2xx; redirects are not followed, and a body is not kept. All of it has one time limit.
 *  * a failure is logged once until it works again. The log names the host only: the URL is a secret, as a rule.
 */
export interface Heartbeat {
  /** Every storage is in step. */
  beat(): void;
  /** Ends a request that is under way; no other follows. */
  close(): void;
}

export interface HeartbeatOptions {
  readonly log: Log;
  /** Shortest time between the beginnings of two requests. */
  readonly everyMs?: number;
  readonly limitMs?: number;
}

const EVERY_MS = 10_000;
const LIMIT_MS = 5000;
/** A longer body is cut off: its status has been read before. */
const MOST_BYTES = 64 * 1024;

/** undefined as `url`: nothing is called. Throws a TypeError if it is no URL. */
export function heartbeatOf(url: string | undefined, options: HeartbeatOptions): Heartbeat {
  return url === undefined ? { beat() {}, close() {} } : new UrlHeartbeat(new URL(url), options);
}

class UrlHeartbeat implements Heartbeat {
  private closed = false;
  private beganAt = Number.NEGATIVE_INFINITY;
  private running = false;
  private request: ClientRequest | undefined;
  /** A lookup cannot be ended: one that hangs occupies a thread which files need as well. */
  private resolving = false;
  private failing = false;

  constructor(
    private readonly url: URL,
    private readonly options: HeartbeatOptions,
  ) {}

  beat(): void {
    const isDue = milliseconds() - this.beganAt >= (this.options.everyMs ?? EVERY_MS);
    if (this.closed || this.running || this.resolving || !isDue) return;
    this.running = true;
    this.beganAt = milliseconds();
    this.call()
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .then((fault) => {
        this.running = false;
        this.report(fault);
      });
  }

  close(): void {
    this.closed = true;
    this.request?.destroy();
  }

  /** Resolves, when the connection has ended, to why there is no answer; undefined if there is one. */
  private async call(): Promise<string | undefined> {
    // Loaded by the first call: most watches have no heartbeat.
    const { get } = this.url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    if (this.closed) return undefined;
    // Without an agent each request has a connection of its own, which ends with it.
    const request = get(this.url, { agent: false, headers: { 'user-agent': 'syncpozo' }, lookup: this.lookUp });
    this.request = request;
    const limitMs = this.options.limitMs ?? LIMIT_MS;
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs).unref();
    return new Promise((resolve) => {
      let answer: { readonly fault: string | undefined } | undefined;
      let fault = 'it ends the connection';
      request.on('error', ({ message }) => {
        fault = message;
      });
      request.once('response', (response) => {
        answer = { fault: faultOf(response.statusCode ?? 0) };
        discard(response);
      });
      request.once('close', () => {
        clearTimeout(timer);
        resolve(answer ? answer.fault : fault);
      });
    });
  }

  private readonly lookUp: NonNullable<RequestOptions['lookup']> = (host, options, done) => {
    this.resolving = true;
    lookup(host, options, (...answer) => {
      this.resolving = false;
      done(...answer);
    });
  };

  private report(fault: string | undefined): void {
    if (this.closed || this.failing === (fault !== undefined)) return;
    this.failing = fault !== undefined;
    const { host } = this.url;
    if (fault === undefined) return this.options.log.info({ host }, 'the heartbeat URL answers again');
    const hint = 'the syncs go on; whoever watches the heartbeat will raise an alarm';
    this.options.log.warn({ host, fault, hint }, 'the heartbeat URL cannot be called');
  }
}

function faultOf(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  return `it answers with status ${status}${status >= 300 && status < 400 ? '; redirects are not followed' : ''}`;
}

function discard(response: IncomingMessage): void {
  let bytes = 0;
  response
    .on('error', () => {})
    .on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MOST_BYTES) response.destroy();
    });
}
