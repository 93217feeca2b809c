import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, Visitor } from '../support/visitor.js';
import { fileOf, imageOf, type Upload } from './uploads.js';
import { CREDENTIALS, isAcknowledged, type LoadSettings, marker, type Visit } from './visits.js';

/**
 * load-main.js SETTINGS: editors and readers of a Plone site. Each editor has a folder of his own, and writes by plone.restapi: new
 * documents, files and images; other texts and other files in them; deletions. Prints a line for each request when it has
 * ended. Runs until its standard input ends.
 *
 * Invariant: an item of which a write has failed, so that nobody knows what it has now, is not written again.
 */
const settings = JSON.parse(process.argv[2] ?? '') as LoadSettings;
let next = settings.firstId;
let running = true;
process.stdin.resume().on('end', () => {
  running = false;
});

interface Item {
  readonly path: string;
  readonly type: 'Document' | 'File' | 'Image';
}
/** What the site has, as far as its editors know. */
const items: Item[] = [];

const JSON_HEADERS = { accept: 'application/json', authorization: CREDENTIALS };

function note(visit: Visit): void {
  writeSync(1, `${JSON.stringify(visit)}\n`);
}

class Editor {
  private readonly visitor = new Visitor(settings.server, settings.timeoutMs);
  private own: Item[] = [];
  private turn = 0;

  constructor(private readonly number: number) {}

  /** One write. */
  async write(): Promise<boolean> {
    const id = next++;
    const step = this.turn++ % 12;
    const [oldest] = this.own;
    const newest = this.own.findLast(({ type }) => type === 'Document');
    const file = this.own.findLast(({ type }) => type !== 'Document');
    if (step === 11 && oldest !== undefined) return this.change('delete', 'DELETE', id, oldest);
    if (step === 7 && file !== undefined) return this.change('replace', 'PATCH', id, file, uploadFor(file.type, id));
    if ([1, 4, 8].includes(step) && newest !== undefined) return this.change('edit', 'PATCH', id, newest);
    return this.create(step === 3 || step === 9 ? 'File' : step === 6 ? 'Image' : 'Document', id);
  }

  private async create(type: Item['type'], id: number): Promise<boolean> {
    const name = `${type.toLowerCase()}-${id}`;
    const item = { type, path: `/writer-${this.number}/${name}` };
    const upload = uploadFor(type, id);
    const visit = await this.send(type, 'POST', `/writer-${this.number}`, id, item.path, upload, {
      '@type': type,
      id: name,
    });
    if (isAcknowledged(visit)) {
      this.own.push(item);
      items.push(item);
    }
    return isAcknowledged(visit);
  }

  private async change(kind: Visit['kind'], method: string, id: number, item: Item, file?: Upload): Promise<boolean> {
    const isGone = kind === 'delete';
    if (isGone) this.forget(item);
    const visit = await this.send(kind, method, item.path, id, item.path, file);
    if (!isAcknowledged(visit)) this.forget(item);
    return isAcknowledged(visit);
  }

  private async send(
    kind: Visit['kind'],
    method: string,
    to: string,
    id: number,
    path: string,
    upload?: Upload,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Visit> {
    const text = { data: `<p>${marker(id)}</p>`, 'content-type': 'text/html', encoding: 'utf8' };
    const field =
      upload === undefined
        ? { text }
        : { [upload.field['content-type'] === 'image/png' ? 'image' : 'file']: upload.field };
    const body = JSON.stringify({ ...more, title: marker(id), ...field });
    const headers = { ...JSON_HEADERS, 'content-type': 'application/json' };
    const start = Date.now() / 1000;
    const answer = await this.visitor.ask(
      method,
      to,
      method === 'DELETE' ? { headers: JSON_HEADERS } : { headers, body },
    );
    const visit: Visit = {
      start,
      end: Date.now() / 1000,
      kind,
      worker: `editor ${this.number}`,
      id,
      path,
      ...outcome(answer),
      ...(upload === undefined ? {} : { sha256: upload.sha256 }),
      ...(answer.location === undefined ? {} : { named: answer.location }),
    };
    note(visit);
    return visit;
  }

  private forget(item: Item): void {
    this.own = this.own.filter((other) => other !== item);
    items.splice(items.indexOf(item) >>> 0, 1);
  }
}

function uploadFor(type: Item['type'], id: number): Upload | undefined {
  if (type === 'Document') return undefined;
  return type === 'File' ? fileOf(id) : imageOf(id);
}

function outcome({ status, body, error }: Answer): Pick<Visit, 'status' | 'error'> {
  if (status >= 200 && status < 300) return { status };
  return { status, error: error ?? body.toString().slice(0, 200) };
}

/** Pages as browsers get them; a picture in another size makes Plone write. */
async function read(visitor: Visitor, number: number, turn: number): Promise<boolean> {
  const item = items[(turn * 7) % Math.max(1, items.length)];
  const pages = ['/', `/writer-${turn % settings.writers}`, '/@@search?SearchableText=mark*', '/sitemap'];
  const ofItem =
    item === undefined ? undefined : item.path + (item.type === 'Image' ? '/@@images/image/preview' : '/view');
  const path = turn % 2 === 0 && ofItem !== undefined ? ofItem : (pages[(turn >> 1) % pages.length] ?? '/');
  const start = Date.now() / 1000;
  const answer = await visitor.ask('GET', path, { headers: { authorization: CREDENTIALS } });
  // Deleted meanwhile.
  const outcomeOf =
    answer.status === 404 && item !== undefined && !items.includes(item) ? { status: 200 } : outcome(answer);
  note({ start, end: Date.now() / 1000, kind: 'page', worker: `reader ${number}`, path, ...outcomeOf });
  return answer.status === 200;
}

async function often(act: (turn: number) => Promise<boolean>): Promise<void> {
  for (let turn = 0; running; turn++) await sleep((await act(turn)) ? settings.pauseMs : 200);
}

const all: Promise<void>[] = [];
for (let n = 0; n < settings.writers; n++) {
  const editor = new Editor(n);
  all.push(often(() => editor.write()));
}
for (let n = 0; n < settings.readers; n++) {
  const visitor = new Visitor(settings.server, settings.timeoutMs);
  all.push(often((turn) => read(visitor, n, turn)));
}
await Promise.all(all);
