import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadSettings, Request } from './requests.js';
import { Visitor } from './visitor.js';

/**
 * load-main.js SETTINGS: writers and readers of the site, as visitors' browsers are: one connection a request, the balancer's cookie
 * kept. Prints a line for each request when it has ended. Runs until its standard input ends, in the network namespace of the
 * router (or of a host that is cut off), so it is a program.
 */
const settings = JSON.parse(process.argv[2] ?? '') as LoadSettings;
let next = settings.firstId;
let running = true;
process.stdin.resume().on('end', () => {
  running = false;
});

type Answer = Pick<Request, 'status' | 'tid' | 'client' | 'pid' | 'started' | 'error'>;

async function ask(visitor: Visitor, method: string, path: string): Promise<Answer> {
  const { status, body, error } = await visitor.ask(method, path);
  return status === 0 ? { status, error: error ?? '' } : { status, ...fields(body.toString()) };
}

function fields(text: string): Omit<Answer, 'status'> {
  try {
    const { tid, client, pid, started, error } = JSON.parse(text) as Answer;
    return Object.fromEntries(
      Object.entries({ tid, client, pid, started, error }).filter(([, value]) => value !== undefined),
    );
  } catch {
    return { error: text.slice(0, 100) };
  }
}

async function visit(worker: string, isWriter: boolean): Promise<void> {
  const visitor = new Visitor(settings.host, settings.timeoutMs);
  while (running) {
    const id = isWriter ? next++ : 0;
    const kind = !isWriter ? 'page' : settings.blobEach > 0 && id % settings.blobEach === 0 ? 'blob' : 'commit';
    const start = Date.now() / 1000;
    const answer = await ask(visitor, isWriter ? 'POST' : 'GET', isWriter ? `/${kind}?id=${id}` : '/');
    const noted: Request = { start, end: Date.now() / 1000, kind, worker, id, ...answer };
    writeSync(1, `${JSON.stringify(noted)}\n`);
    await sleep(answer.status === 200 ? settings.pauseMs : 100);
  }
}

const visits: Promise<void>[] = [];
for (let n = 0; n < settings.writers; n++) visits.push(visit(`writer ${n}`, true));
for (let n = 0; n < settings.readers; n++) visits.push(visit(`reader ${n}`, false));
await Promise.all(visits);
