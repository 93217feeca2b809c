import { spawn } from 'node:child_process';

/** What the site answers; see site.py. */
export interface Answer {
  readonly status: number;
  readonly client?: string;
  readonly pid?: number;
  readonly tid?: string;
  readonly ghost?: number;
  readonly has?: boolean;
  readonly ids?: readonly number[];
  readonly error?: string;
}

/** Asks one server, ADDRESS or ADDRESS:PORT, for one page, from where `enter` leads. Status 0: no answer in time. */
export async function ask(
  enter: readonly string[],
  server: string,
  path: string,
  method = 'GET',
  seconds = 3,
): Promise<Answer> {
  const curl = [
    'curl',
    '-s',
    '-m',
    String(seconds),
    '-X',
    method,
    '-H',
    'Host: www.example.org',
    '-w',
    '\n%{http_code}',
  ];
  const [program = '', ...args] = [...enter, ...curl, `http://${server}${path}`];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += String(part);
  const [body = '', status = '0'] = text.split(/\n(?=\d+$)/);
  try {
    return { ...(JSON.parse(body) as Answer), status: Number(status) };
  } catch {
    return { status: Number(status), error: body.slice(0, 200) };
  }
}
