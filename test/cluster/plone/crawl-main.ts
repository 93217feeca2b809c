import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Visitor } from '../support/visitor.js';
import type { Expected } from './verdict.js';
import { CREDENTIALS, marker, markersIn } from './visits.js';

/**
 * crawl-main.js FILE: asks the site for each item of which FILE has what it has to be, and prints what is otherwise, a line each. The
 * catalog has to name the same items, with the same titles.
 */
export interface CrawlSettings {
  /** The balancer's address; or a Zope client's, then `prefix` is what the balancer puts before each path. */
  readonly server: string;
  readonly prefix: string;
  readonly expected: readonly Expected[];
}

const SITE = 'http://www.example.org';
const EACH_HTML = 7;
const AT_ONCE = 3;

const { server, prefix, expected } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as CrawlSettings;
const visitor = new Visitor(server, 60_000);

interface Item {
  readonly '@id': string;
  readonly title: string;
  readonly text?: { readonly data: string };
  readonly file?: { readonly download: string };
  readonly image?: { readonly download: string };
}

function wrong(path: string, what: string): void {
  process.stdout.write(`${path}: ${what}\n`);
}

function get(path: string, accept: string): ReturnType<Visitor['ask']> {
  return visitor.ask('GET', prefix + path, { headers: { accept, authorization: CREDENTIALS } });
}

/** What a browser may be sent to: nothing that only the balancer knows. */
function strangers(html: string): readonly string[] {
  const named = [...html.matchAll(/(?:href|src|action)="\s*([^"]*)"/g)].map(([, url]) => url ?? '');
  return named.filter((url) => /192\.168\.|:80(80)?\b|VirtualHost|example\.org\/Plone\b/.test(url));
}

async function check({ path, id, type, sha256 }: Expected, index: number): Promise<void> {
  const { status, body, error } = await get(path, 'application/json');
  if (id === null) {
    if (status !== 404) wrong(path, `${status}, and it should not be there`);
    return;
  }
  if (status !== 200) return wrong(path, `${status} ${error ?? body.toString().slice(0, 300)}`);
  const item = JSON.parse(body.toString()) as Item;
  if (item.title !== marker(id)) wrong(path, `has the title ${item.title}, not ${marker(id)}`);
  if (item['@id'] !== SITE + path) wrong(path, `calls itself ${item['@id']}`);
  if (type === 'Document' && !markersIn(item.text?.data ?? '').includes(id)) wrong(path, `text ${item.text?.data}`);
  if (sha256 !== null) await checkFile(path, (item.file ?? item.image)?.download ?? '', sha256);
  if (index % EACH_HTML !== 0) return;
  const page = await get(`${path}/view`, 'text/html');
  if (page.status !== 200 || !page.body.includes(marker(id))) wrong(path, `the page: ${page.status}`);
  for (const url of strangers(page.body.toString())) wrong(path, `the page leads to ${url}`);
}

async function checkFile(path: string, download: string, sha256: string): Promise<void> {
  if (!download.startsWith(`${SITE}/`)) return wrong(path, `is downloaded from ${download}`);
  const { status, body } = await get(download.slice(SITE.length), '*/*');
  const found = createHash('sha256').update(body).digest('hex');
  if (status !== 200 || found !== sha256) wrong(path, `the file: ${status}, ${body.length} bytes with other content`);
}

async function checkCatalog(): Promise<void> {
  const types = ['Document', 'File', 'Image'].map((type) => `portal_type=${type}`).join('&');
  const { status, body } = await get(`/@search?${types}&b_size=100000&metadata_fields=Title`, 'application/json');
  if (status !== 200) return wrong('/@search', String(status));
  const { items } = JSON.parse(body.toString()) as { items: readonly { '@id': string; Title: string }[] };
  const found = items.map((item) => `${item['@id'].slice(SITE.length)} ${item.Title}`);
  const wanted = expected.filter(({ id }) => id !== null).map(({ path, id }) => `${path} ${marker(id ?? 0)}`);
  for (const line of found.filter((other) => !wanted.includes(other))) wrong('the catalog', `has ${line}`);
  for (const line of wanted.filter((other) => !found.includes(other))) wrong('the catalog', `lacks ${line}`);
}

await checkCatalog();
const left = [...expected.entries()];
async function some(): Promise<void> {
  for (let next = left.pop(); next !== undefined; next = left.pop()) await check(next[1], next[0]);
}
await Promise.all(Array.from({ length: AT_ONCE }, some));
