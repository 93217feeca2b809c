import { isIP } from 'node:net';

/** What a request asks for. */
export interface Target {
  /** As it was sent: nothing in it is decoded or resolved, so that one path has one spelling. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of an absolute form, which proxies send; undefined: the Host header says it. */
  readonly authority: string | undefined;
}

/** `/path?query` or `http://host/path?query`; undefined for every other form. */
export function parseTarget(url: string): Target | undefined {
  const match = /^(?:https?:\/\/([^/?#]*))?(\/[^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (!match) return undefined;
  const [, authority, path = '', query = ''] = match;
  return { path, query: new URLSearchParams(query), authority };
}

/**
 * Whether a Host is a name that only this machine answers to. A page of another site can make a browser ask here under its own
 * name, which it has made point to 127.0.0.1 (DNS rebinding), and would read the answer; it cannot do so under these.
 */
export function isOwnName(host: string, hostname: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, '');
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name === hostname.toLowerCase();
}

/** Whether an address that a server is bound to can be reached from this machine alone. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
