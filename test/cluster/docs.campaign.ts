import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Block, blocksOf } from '../docs/markdown.js';
import { normalise } from '../docs/normalise.js';
import type { Host } from './support/host.js';
import { reasonToSkip } from './support/image.js';
import { withJournals } from './support/journals.js';
import { Network } from './support/network.js';
import { providePackages } from './support/site-packages.js';

/**
 * docs/cluster.md, typed into two fresh hosts: each command in its order, on the host that the remark before its block names, and what
 * each check prints against what the page shows.
 *
 * The hosts have no network beside each other, so some of it is there before: Debian's packages (apt-get finds nothing to do), the
 * packages of Python as files, node, and syncpozo where npm would install it. A remark `once`: the command is not one to repeat.
 */
const PAGE = 'docs/cluster.md';
const LONGEST_COMMAND_MS = 10 * 60_000;
/** A person looks again until it is as the page shows; a busy machine takes its time. */
const LONGEST_WAIT_MS = 180_000;

/**
 * A person reads before a command that changes the roles, and walks to the plug. Heartbeat ignores a request in the second in which the
 * other host has joined; and Zope's first start commits something, which a cut in that second leaves on m1.
 */
const READING_MS = 10_000;

/** Fewer mean that remarks are not understood. */
const FEWEST_BLOCKS = 30;

const skip = reasonToSkip();

it(`${PAGE}, from two fresh hosts to a cluster, a takeover, the way back and a switchover`, { skip }, async (t) => {
  const network = await Network.start();
  try {
    const hosts = new Map(['m1', 'm2'].map((name, index) => [name, network.host(name, index + 1)]));
    await withJournals(PAGE, network, async () => {
      const both = [...hosts.values()];
      await Promise.all(both.map((host) => host.boot()));
      await Promise.all(both.map((host) => host.ok(NPM_HAS_INSTALLED)));
      await providePackages(both);
      let played = 0;
      for (const block of blocksOf(PAGE)) {
        const began = Date.now();
        if (!(await play(block, hosts))) continue;
        played++;
        t.diagnostic(`${PAGE}:${block.line} (${block.remark}): ${((Date.now() - began) / 1000).toFixed(1)} s`);
      }
      assert.ok(played >= FEWEST_BLOCKS, `${played} blocks were played`);
    });
  } finally {
    await network.end();
  }
});

const NPM_HAS_INSTALLED =
  'mkdir -p "$(npm root --global)" && ln -sfn /opt/syncpozo "$(npm root --global)/syncpozo" && syncpozo --version';

/** Whether the block was one to play. */
async function play(block: Block, hosts: ReadonlyMap<string, Host>): Promise<boolean> {
  if (block.remark === 'by hand') {
    await sleep(READING_MS);
    await byHand(block, hosts);
    return true;
  }
  const [, name, once] = /^on (m1|m2|both)(, once)?$/.exec(block.remark) ?? [];
  if (name === undefined) return false;
  const limitMs = once === undefined ? LONGEST_WAIT_MS : 0;
  if (once !== undefined) await sleep(READING_MS);
  const chosen = [...hosts.values()].filter((host) => name === 'both' || host.name === name);
  await Promise.all(
    chosen.map((host) => (block.language === 'console' ? check(host, block, limitMs) : type(host, block))),
  );
  return true;
}

async function type(host: Host, { lines, line }: Block): Promise<void> {
  const { status, output } = await host.inside(`set -e\n${lines.join('\n')}`, { timeoutMs: LONGEST_COMMAND_MS });
  assert.equal(status, 0, `${PAGE}:${line} on ${host.name} ended with ${status}:\n${output}`);
}

/** Runs each command until it prints what the page shows. */
async function check(host: Host, { lines, line }: Block, limitMs: number): Promise<void> {
  const starts = lines.flatMap((text, at) => (text.startsWith('$ ') ? [at] : []));
  assert.equal(starts[0], 0, `${PAGE}:${line} begins with no command`);
  for (const [index, at] of starts.entries()) {
    const command = (lines[at] ?? '').slice(2);
    const shown = masked(lines.slice(at + 1, starts[index + 1]).join('\n'));
    for (const until = Date.now() + limitMs; ; await sleep(500)) {
      const { output } = await host.inside(command, { timeoutMs: LONGEST_COMMAND_MS });
      if (masked(output) === shown) break;
      if (Date.now() >= until)
        assert.equal(masked(output), shown, `${PAGE}:${line + 1 + at} on ${host.name}: ${command}`);
    }
  }
}

function masked(output: string): string {
  return normalise(output).replace(/\b\d+ s after\b/g, 'N s after');
}

async function byHand({ lines, line }: Block, hosts: ReadonlyMap<string, Host>): Promise<void> {
  const [, name = '', what] = /^power of (m1|m2): (on|off)$/.exec(lines.join('\n')) ?? [];
  const host = hosts.get(name);
  assert.ok(host, `${PAGE}:${line}: ${lines.join(' ')}`);
  if (what === 'off') return host.power();
  await host.boot();
  host.heal();
}
