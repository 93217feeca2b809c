import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { Host } from './host.js';
import { courseOf, hostBlock } from './host-blocks.js';
import { type Block, blocksOf, PAGES, textOf } from './markdown.js';
import { normalise } from './normalise.js';
import { afterTakeover } from './way-back.js';

const SYNC = 'syncpozo sync --quiet /mnt/m1/zeo/var /srv/zeo/var --blobs /mnt/m1/zeo/blobs:/srv/zeo/blobs';

/** What is there when the first example of a page runs. A page without an entry has no example that is run. */
const STAGES: Readonly<Record<string, (host: Host) => void>> = {
  'README.md': (host) => host.makeSite('m1'),
  'docs/install.md': (host) => {
    host.makeSite('m1');
    host.makeSite('m1', 'catalog.fs');
  },
  'docs/operate.md': behind,
  'docs/takeover.md': behind,
  'docs/way-back.md': afterTakeover,
  'docs/restore.md': (host) => {
    host.startAt(new Date(2026, 10, 24, 14, 0));
    host.makeSite('srv');
    host.startAt(new Date(2026, 10, 24, 14, 3));
    host.commit('srv/Data.fs', 'the folder is gone');
  },
  'docs/monitoring.md': (host) => {
    host.makeSite('m1');
    host.prepare(SYNC, SYNC);
  },
};

/** A slave in step, and a master that has committed one more transaction since, with a blob. */
function behind(host: Host): void {
  host.makeSite('m1');
  host.prepare(SYNC);
  host.commitBlob('m1', 4);
}

/** A page for two hosts, of which test/cluster/docs.campaign.ts runs every block that has such a remark: see host-blocks.ts. */
const CLUSTER = 'docs/cluster.md';

function shellBlocks(page: string): Block[] {
  return blocksOf(page).filter(({ language }) => language === 'sh' || language === 'console');
}

function isRun({ remark }: Block): boolean {
  return !remark.startsWith('not run');
}

/** What an example may call here: nothing else, so that a page cannot change the machine of whoever runs the tests. */
const MAY_RUN = /^(syncpozo |echo \$\?$|cat \/srv\/zeo\/var\/lost-\*\.txt$)/;

function assertMayRun({ lines, language }: Block, where: string): void {
  const typed = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  for (const command of language === 'console' ? typed : lines)
    assert.match(command, MAY_RUN, `${where} is neither run nor marked with <!-- not run: why -->`);
}

/** Runs a block of commands; they all have to succeed, or to end as the remark says. */
function runCommands(host: Host, { lines, remark }: Block, where: string): void {
  const expected = Number(/^ends with (\d+)$/.exec(remark)?.[1] ?? 0);
  const text = `set -e\n${lines.join('\n')}`;
  const { status, output } = remark === 'on m2' ? host.runOnM2(text) : host.run(text);
  assert.equal(status, expected, `${where} ended with ${status}:\n${output}`);
}

/** Runs the commands of a session, and compares what each prints with what stands below it. */
function runSession(host: Host, { lines }: Block, where: string): void {
  assert.ok(lines[0]?.startsWith('$ '), `${where}: a session begins with "$ " and a command`);
  let before = 0;
  for (let at = 0; at < lines.length; ) {
    const command = (lines[at] ?? '').slice(2);
    const next = lines.findIndex((line, n) => n > at && line.startsWith('$ '));
    const shown = lines.slice(at + 1, next < 0 ? undefined : next).join('\n');
    const { status, output } = host.run(command, before);
    assert.equal(normalise(output), normalise(shown), `${where}: ${command} prints\n${output}`);
    before = status ?? -1;
    at = next < 0 ? lines.length : next;
  }
}

for (const page of PAGES.filter((name) => name !== CLUSTER)) {
  test(`the examples of ${page} work, and print what the page shows`, async () => {
    const blocks = shellBlocks(page).filter(isRun);
    const stage = STAGES[page];
    if (!stage) return assert.deepEqual(blocks, [], `${page} has examples, and STAGES no place for them`);
    assert.ok(blocks.length > 0, `${page} has no example that is run`);
    for (const block of blocks) assertMayRun(block, `${page}:${block.line}`);
    await withTempDir((directory) => {
      const host = new Host(directory);
      stage(host);
      for (const block of blocks) {
        const where = `${page}:${block.line}`;
        if (block.language === 'console') runSession(host, block, where);
        else runCommands(host, block, where);
      }
    });
  });
}

test('an example that is not run has a reason', () => {
  const marked = PAGES.flatMap((page) => shellBlocks(page).filter((block) => !isRun(block)));
  assert.ok(marked.length > 0);
  for (const { remark, lines } of marked) assert.match(remark, /^not run: \S.{7}/, lines.join('\n'));
});

test('every other remark before a shell block is understood', () => {
  for (const page of PAGES) {
    for (const block of shellBlocks(page).filter(isRun)) {
      const { remark, language, line } = block;
      const known =
        page === CLUSTER
          ? hostBlock(block) !== undefined
          : remark === '' || (language === 'sh' && /^(ends with [1-9]|on m2)$/.test(remark));
      assert.ok(known, `${page}:${line}: ${remark}`);
    }
  }
});

test('each block for a host of the cluster is typed with one cluster manager at least', () => {
  const typed = (['heartbeat', 'keepalived', 'pacemaker'] as const).flatMap((manager) => courseOf(CLUSTER, manager));
  const lines = new Set(typed.map(({ line }) => line));
  const forHosts = blocksOf(CLUSTER).filter((block) => hostBlock(block) !== undefined);
  assert.deepEqual(
    forHosts.filter(({ line }) => !lines.has(line)).map(({ line }) => line),
    [],
  );
});

test('the cron line of operate.md runs, and prints nothing when all is well', async () => {
  const lines = blocksOf('docs/operate.md').flatMap((block) => block.lines);
  const command = lines
    .map((line) => /^\* \* \* \* \* zope (.*)$/.exec(line)?.[1])
    .find((found) => found !== undefined);
  assert.ok(command);
  await withTempDir((directory) => {
    const host = new Host(directory);
    behind(host);
    assert.deepEqual(host.run(command), { status: 0, output: '' });
  });
});

test('the lines of install.md for the mount are those of the sample files', () => {
  const samples = textOf('scripts/nfs/exports') + textOf('scripts/nfs/fstab');
  const lines = blocksOf('docs/install.md').filter(({ language }) => language === '');
  assert.equal(lines.length, 2);
  for (const line of lines.flatMap((block) => block.lines)) assert.ok(samples.includes(`\n${line}\n`), line);
});

test('README names the commands of the demo and of the tests, and continuous integration runs the latter', () => {
  const lines = blocksOf('README.md').flatMap((block) => block.lines);
  const command = 'npm ci && npm test';
  assert.ok(lines.includes('npm ci && npm run demo'));
  assert.ok(lines.includes(command));
  assert.equal(readFileSync(inProject('.ci', 'run'), 'utf8').trimEnd().split('\n').at(-1), command);
  assert.ok(textOf('README.md').split('\n').length <= 120, 'README fits on a few screens');
});
