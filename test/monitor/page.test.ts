import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { PAGE, PAGE_POLICY } from '../../src/monitor/page.js';
import { tool } from '../support/monitor-tools.js';
import { get, isoAgo, monitoredOf, type StorageChanges, served } from '../support/monitored.js';

const chromium = tool('/usr/bin/chromium', 'chromium');

/** The page as a browser shows it, after so many seconds of its own time. */
function dom(t: TestContext, url: string, seconds = 2): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'syncpozo-chromium-'));
  const args = ['--headless', '--disable-gpu', '--dump-dom', `--user-data-dir=${profile}`];
  args.push(`--virtual-time-budget=${seconds * 1000}`, '--window-size=1000,1000');
  // Its sandbox is not for root.
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  const child: ChildProcess = spawn(chromium.path, [...args, url], { stdio: ['ignore', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
  t.after(() => {
    clearTimeout(timer);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  return new Promise((resolve, reject) => {
    let html = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      html += text;
    });
    child.once('error', reject).once('close', () => resolve(html));
  });
}

/** What it shows, without the template and the script. */
async function shown(t: TestContext, ...storages: readonly StorageChanges[]): Promise<string> {
  const { port } = await served(t, monitoredOf(...storages));
  return bodyOf(await dom(t, `http://127.0.0.1:${port}/`));
}

function bodyOf(html: string): string {
  return html.replace(/<(script|style|template)\b[\s\S]*?<\/\1>/g, '');
}

/** The text of each element with this name. */
function textsOf(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(`data-to="${name}"[^>]*>([^<]*)`, 'g'))].map(([, text = '']) => text);
}

function verdictOf(html: string): string | undefined {
  return /id="verdict"[^>]*>([^<]*)/.exec(html)?.[1];
}

const OUT = {
  state: 'out-of-reach',
  since: isoAgo(700),
  stateReason: 'master out of reach: no answer',
  lag: null,
} as const;

describe('the status page in a browser', { skip: chromium.skip }, () => {
  it('shows a slave in step', async (t) => {
    const lagHistory = [
      { time: Date.now() - 180_000, seconds: 1 },
      { time: Date.now() - 120_000, seconds: null },
      { time: Date.now() - 60_000, seconds: 42 },
    ];
    const html = await shown(t, { lagHistory });
    assert.equal(verdictOf(html), '✓ In step');
    assert.deepEqual(textsOf(html, 'badge'), ['✓ In step']);
    assert.deepEqual(textsOf(html, 'next'), ['Nothing.']);
    assert.deepEqual(textsOf(html, 'lag'), ['0 s']);
    assert.match(html, /aria-label="Lag over the last 6 hours: at most 42 s, not known for 60 s \(grey\)"/);
    assert.match(html, /<path class="line" d="M/);
    assert.match(html, /<dt>Role<\/dt><dd>slave, term 1<\/dd>/);
    assert.match(html, /<dt>Takeover<\/dt><dd>possible: in step<\/dd>/);
    assert.match(html, /id="gone"[^>]* hidden/);
  });

  it('shows a refusal, its kept files, its events, and the command to run', async (t) => {
    const message = 'each side has transactions that the other lacks';
    const html = await shown(t, {
      standing: {
        slave: "/srv/o'hara/Data.fs",
        state: 'forked',
        since: isoAgo(100),
        stateReason: 'the two have forked',
        lag: null,
        keptAside: [{ path: '/srv/old', size: 2048, written: isoAgo(7200), ageSeconds: 7200 }],
      },
      events: [{ name: 'fork', time: isoAgo(100), storage: 'main', slave: '/srv/Data.fs', message, facts: {} }],
    });
    assert.equal(verdictOf(html), '✕ Forked');
    assert.match(textsOf(html, 'badge')[0] ?? '', /^✕ Forked since .*\d\d:\d\d:\d\d$/);
    assert.match(textsOf(html, 'next')[0] ?? '', /^The two have forked\. Nothing is lost and nothing is synced\./);
    const command = "syncpozo compare '/mnt/m1/o'\\''hara/Data.fs' '/srv/o'\\''hara/Data.fs'";
    assert.deepEqual(textsOf(html, 'command'), [command]);
    assert.deepEqual(textsOf(html, 'lag'), ['not known']);
    assert.match(html, /<td>2\.0 KiB<\/td><td>\/srv\/old<\/td>/);
    assert.match(html, new RegExp(`<td>fork</td><td>${message}</td>`));
    assert.match(html, /<dt>Takeover<\/dt><dd>not now: /);
  });

  it('shows files of lost transactions, and where their report is', async (t) => {
    const file = { firstTid: '1', lastTid: '2', size: 3072, written: isoAgo(7200), ageSeconds: 7200 };
    const lostFiles = [{ ...file, path: '/srv/lost-1-2.fs', report: '/srv/lost-1-2.txt' }];
    const html = await shown(t, { standing: { lostFiles } });
    assert.equal(verdictOf(html), '✓ In step');
    assert.match(textsOf(html, 'next')[0] ?? '', /lost in a takeover and exist nowhere else/);
    assert.deepEqual(textsOf(html, 'command'), ['less /srv/lost-1-2.txt']);
    assert.match(html, /<td>3\.0 KiB<\/td><td>\/srv\/lost-1-2\.fs<\/td>/);
  });

  it('shows a mount that hangs, and that a takeover is possible', async (t) => {
    const html = await shown(t, { standing: OUT, figures: { hungSince: Date.now() - 60_000, hungReads: 1 } });
    assert.equal(verdictOf(html), '▲ Master hangs');
    assert.deepEqual(textsOf(html, 'command'), ['syncpozo promote /srv/zeo/var/Data.fs']);
    assert.match(html, /<dt>Takeover<\/dt><dd>possible/);
  });

  it('shows a promoted side', async (t) => {
    const html = await shown(t, { standing: { role: 'promoted', state: 'promoted', lag: null, term: 3 } });
    assert.equal(verdictOf(html), '● Promoted');
    assert.match(html, /<dd>promoted: it serves, term 3<\/dd>/);
  });

  it('shows which of several storages needs somebody', async (t) => {
    const html = await shown(
      t,
      {},
      {
        name: 'catalog',
        standing: { ...OUT, slave: '/srv/catalog.fs' },
        figures: { inStepAsOf: Date.now() - 700_000 },
      },
      { name: 'archive', standing: new Error('stat /srv/archive.fs: input/output error (EIO)') },
    );
    assert.equal(verdictOf(html), '✕ 2 of 3 storages: catalog: master out of reach, archive: cannot be read');
    assert.deepEqual(textsOf(html, 'name'), ['main', 'catalog', 'archive']);
    assert.match(textsOf(html, 'next')[2] ?? '', /^Stat \/srv\/archive\.fs: input\/output error \(EIO\)\./);
    const well = await shown(t, {}, { name: 'b' });
    assert.equal(verdictOf(well), '✓ All 2 storages are well');
  });

  it('has words for every state and trouble', async (t) => {
    const claimless = { claim: null, problem: 'there is no .dat' };
    const blobs = { directory: '/b', count: 3, bytes: 9, missing: 2, problem: null, lastFullScrub: null };
    const scenes: Readonly<Record<string, StorageChanges>> = {
      '✕ Refused': { standing: { state: 'refused', stateReason: 'it has grown' } },
      '✕ Damaged': { standing: { state: 'damaged', stateReason: 'at 7' } },
      '✕ Cut short': { standing: { state: 'cut-short', size: 4 } },
      '✕ In use': { standing: { state: 'in-use', lockedBy: 'another program' } },
      '▲ Rounds fail': { standing: { state: 'fault', stateReason: 'there is no space' } },
      '▲ Switched off': { standing: { switch: 'off' } },
      '▲ Never synced': { standing: { state: 'never-synced', ...claimless } },
      '▲ Behind': { standing: { state: 'behind', lag: { seconds: 90, transactions: 3, bytes: 10 } } },
      '✓ Copying': { standing: { state: 'behind', lag: { seconds: 0.7, transactions: 1, bytes: 10 } } },
      '✕ Blobs missing': { standing: { blobs } },
      '✕ Blobs not there': { standing: { blobs: { ...blobs, missing: 0, problem: 'the blob directory /b is gone' } } },
      '✕ Superseded': { standing: { role: 'superseded' } },
      '▲ Rejoining': { standing: { role: 'rejoining', state: 'refused' } },
      '✕ Role: unreadable': { standing: { role: 'unreadable', roleProblem: 'line 3 is wrong' } },
      '▲ Not proven': { figures: { inStepAsOf: Date.now() - 600_000 } },
      '▲ Not checked yet': { figures: { last: undefined, inStepAsOf: undefined } },
      '✕ Watch has stopped': { figures: { last: { ...LAST, endedAt: Date.now() - 3_600_000 } } },
      '✕ Last round failed': { figures: { last: { ...LAST, exitCode: 4, reason: 'it is wrong' } } },
    };
    const names = Object.keys(scenes);
    const html = await shown(t, ...Object.values(scenes).map((scene, n) => ({ ...scene, name: `s${n}` })));
    assert.deepEqual(textsOf(html, 'badge'), names);
    for (const next of textsOf(html, 'next')) assert.match(next, /^[A-Z/][\s\S]*\.$/);
    assert.doesNotMatch(html, /undefined|NaN|\[object|>null/);
  });

  it('shows foreign text as text', async (t) => {
    const evil = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>';
    const html = await shown(t, {
      name: evil,
      standing: {
        slave: `/srv/${evil}`,
        state: 'refused',
        stateReason: evil,
        keptAside: [{ path: evil, size: 1, written: isoAgo(1), ageSeconds: 1 }],
      },
      events: [{ name: 'fault', time: isoAgo(1), storage: null, slave: evil, message: evil, facts: {} }],
    });
    assert.doesNotMatch(html, /<img|pwned<\/title>/);
    assert.ok((html.match(/&lt;img src=x/g) ?? []).length >= 6);
    assert.deepEqual(textsOf(html, 'name').length, 1);
  });

  it('runs no script but its own', async (t) => {
    const injected = PAGE.toString().replace('</body>', '<script>document.body.dataset.pwned = "1"</script></body>');
    for (const [policy, expected] of [
      [PAGE_POLICY, false],
      ['', true],
    ] as const) {
      const port = await serving(t, (_path, answer) => answer('text/html', injected, policy));
      assert.equal(/data-pwned/.test(await dom(t, `http://127.0.0.1:${port}/`)), expected);
    }
  });

  it('says since when a watch has not answered, and keeps what was known', async (t) => {
    const { port: watch } = await served(t, monitoredOf());
    const { text } = await get(watch, '/status.json');
    let asked = 0;
    const port = await serving(t, (path, answer, hangUp) => {
      if (path === '/') return answer('text/html', PAGE.toString(), PAGE_POLICY);
      return asked++ === 0 ? answer('application/json', text) : hangUp();
    });
    const html = bodyOf(await dom(t, `http://127.0.0.1:${port}/`, 9));
    assert.ok(asked > 1);
    assert.equal(verdictOf(html), '✕ No answer from the watch');
    assert.match(html, /id="gone"[^>]*>No answer from the watch since \d\d:\d\d:\d\d \(/);
    assert.match(html, /id="updated"[^>]*>no answer for \d/);
    assert.match(html, /class="lost"/);
    assert.deepEqual(textsOf(html, 'name'), ['main']);
  });

  it('fits a telephone', async (t) => {
    const long = '/srv/'.concat('very-long-name-of-a-directory-'.repeat(10));
    const { port: watch } = await served(
      t,
      monitoredOf({ name: 'x'.repeat(80), standing: { slave: long, switch: 'off' } }),
    );
    const { text } = await get(watch, '/status.json');
    // A window has 500 pixels at least; a frame may have any width.
    const measure = 'parent.document.title = innerWidth + " " + document.documentElement.scrollWidth';
    const page = PAGE.toString().replace('</body>', `<script>setTimeout(() => { ${measure} }, 1500)</script></body>`);
    const port = await serving(t, (path, answer) => {
      if (path === '/status.json') answer('application/json', text);
      else answer('text/html', path === '/' ? '<iframe src="/page" width="360" height="5000"></iframe>' : page);
    });
    const [, width, content] = /<title>(\d+) (\d+)/.exec(await dom(t, `http://127.0.0.1:${port}/`)) ?? [];
    assert.ok(Number(width) <= 360 && Number(width) > 300, width);
    assert.equal(content, width);
  });
});

const LAST = {
  beganAt: Date.now() - 900,
  endedAt: Date.now() - 800,
  action: 'none',
  exitCode: 0,
  reason: '',
  hint: null,
};

type Answer = (type: string, body: string, policy?: string) => void;

/** A server of the test's own. */
async function serving(
  t: TestContext,
  on: (path: string, answer: Answer, hangUp: () => void) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    const answer: Answer = (type, body, policy = '') => {
      response.setHeader('Content-Type', `${type}; charset=utf-8`);
      if (policy !== '') response.setHeader('Content-Security-Policy', policy);
      response.end(body);
    };
    on(request.url ?? '', answer, () => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

describe('the colours of the status page', () => {
  const page = PAGE.toString();
  const schemes = [...page.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, text = '']) =>
      new Map([...text.matchAll(/--([\w-]+): (#\w+);/g)].map(([, name = '', colour = '']) => [name, colour])),
  );

  it('can be read, in light and dark', () => {
    assert.equal(schemes.length, 2);
    for (const scheme of schemes) {
      const pairs = ['good', 'warn', 'bad', 'info'].flatMap((name) => [
        [name, `${name}-ground`],
        [name, 'ground'],
        ['text', `${name}-ground`],
      ]);
      pairs.push(
        ['text', 'card'],
        ['text', 'ground'],
        ['text', 'code'],
        ['soft', 'card'],
        ['soft', 'ground'],
        ['soft', 'code'],
      );
      for (const [front = '', back = ''] of pairs) {
        const ratio = contrast(scheme.get(front) ?? '', scheme.get(back) ?? '');
        assert.ok(ratio >= 4.5, `${front} on ${back}: ${ratio.toFixed(2)}`);
      }
    }
  });

  it('are never the only sign, and nothing is fetched from elsewhere', () => {
    assert.match(page, /const SYMBOLS = \{ good: "✓", info: "●", warn: "▲", bad: "✕" \}/);
    assert.doesNotMatch(page, /innerHTML|insertAdjacentHTML|document\.write|eval\(|@import|url\(|src="/);
    assert.deepEqual(page.match(/https?:\/\/[^'" ]+/g), ['http://www.w3.org/2000/svg']);
  });
});

/** The contrast of WCAG 2. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const long = colour.length === 4 ? colour.replace(/\w/g, '$&$&') : colour;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(long.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
