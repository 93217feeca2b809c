import { isIP, isIPv6 } from 'node:net';

/** Where a server listens. Port 0: any that is free. */
export interface ListenAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
const MOST_PORT = 65_535;

/** An address from `127.0.0.1:9177`, `[::1]:9177` or `localhost:9177`; undefined for anything else. */
export function parseListen(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [, inBrackets, plain = '', digits = ''] = match ?? [];
  const port = Number(digits);
  if (!match || port > MOST_PORT) return undefined;
  if (inBrackets !== undefined) return isIPv6(inBrackets) ? { host: inBrackets, port } : undefined;
  // Digits and dots that are no address are a mistyped one, not a name.
  const isHost = isIP(plain) === 4 || (HOST_NAME.test(plain) && !/^[\d.]+$/.test(plain));
  return isHost ? { host: plain, port } : undefined;
}

export function formatListen({ host, port }: ListenAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
