import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import { ADDRESS, type Pair } from '../support/pair.js';
import type { CrawlSettings } from './crawl-main.js';
import type { Expected } from './verdict.js';

const ROOT = '/VirtualHostBase/http/www.example.org:80/Plone/VirtualHostRoot';

/** The site shows what it has to: through the balancer, and each of the clients by itself, so that none goes on from a cache. */
export async function assertShown(pair: Pair, expected: readonly Expected[]): Promise<void> {
  const clients = pair.network.hosts.map(({ address }) => ({ server: `${address}:8080`, prefix: ROOT }));
  for (const { server, prefix } of [{ server: ADDRESS, prefix: '' }, ...clients]) {
    const began = Date.now();
    const wrong = await crawl(pair, { server, prefix, expected });
    const there = expected.filter(({ id }) => id !== null);
    const files = there.filter(({ sha256 }) => sha256 !== null).length;
    const took = ((Date.now() - began) / 1000).toFixed(1);
    pair.say(
      `${server} shows ${there.length} items, ${files} of them files, ${expected.length - there.length} gone, in ${took} s`,
    );
    assert.deepEqual(wrong, [], `${server} shows something else`);
  }
}

async function crawl(pair: Pair, settings: CrawlSettings): Promise<readonly string[]> {
  const file = join(pair.network.dir, 'crawl.json');
  writeFileSync(file, JSON.stringify(settings));
  const program = inProject('dist', 'test', 'cluster', 'plone', 'crawl-main.js');
  const child = pair.network.spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0, `the crawl ended with ${status}`);
  return output.split('\n').filter((line) => line !== '');
}
