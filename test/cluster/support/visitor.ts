import { type IncomingMessage, request as open } from 'node:http';

export interface Answer {
  /** 0: no answer. */
  readonly status: number;
  readonly body: Buffer;
  readonly location?: string;
  readonly error?: string;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A visitor of a site with a browser: one connection a request, its cookies kept. */
export class Visitor {
  private readonly cookies = new Map<string, string>();

  /** `server`: ADDRESS or ADDRESS:PORT. */
  constructor(
    private readonly server: string,
    private readonly timeoutMs: number,
  ) {}

  cookie(name: string): string | undefined {
    return this.cookies.get(name);
  }

  ask(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Answer> {
    const [host, port = '80'] = this.server.split(':');
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: Record<string, string> = { host: 'www.example.org', connection: 'close', ...headers };
    if (cookie !== '') all['cookie'] = cookie;
    if (body !== undefined) all['content-length'] = String(Buffer.byteLength(body));
    return new Promise((resolve) => {
      const failed = (error: Error): void => resolve({ status: 0, body: Buffer.alloc(0), error: error.message });
      const sent = open({ host, port, method, path, headers: all, agent: false }, (response) => {
        this.remember(response);
        const { statusCode = 0, headers: got } = response;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', failed);
        response.on('end', () => {
          const location = got.location === undefined ? {} : { location: got.location };
          resolve({ status: statusCode, body: Buffer.concat(parts), ...location });
        });
      });
      sent.on('error', failed);
      const limit = setTimeout(() => sent.destroy(new Error(`no answer in ${this.timeoutMs} ms`)), this.timeoutMs);
      sent.on('close', () => clearTimeout(limit));
      sent.end(body);
    });
  }

  private remember(response: IncomingMessage): void {
    for (const line of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.cookies.set(name, value);
    }
  }
}
