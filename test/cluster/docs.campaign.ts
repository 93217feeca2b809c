import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { courseOf, type HostBlock, type Manager } from '../docs/host-blocks.js';
import { normalise } from '../docs/normalise.js';
import { makeBare } from './support/bare-host.js';
import { Fencing } from './support/fencing.js';
import type { Host } from './support/host.js';
import { reasonToSkip } from './support/image.js';
import { withJournals } from './support/journals.js';
import { Network } from './support/network.js';
import { writeDevices } from './support/pacemaker.js';

/**
 * docs/cluster.md, typed into two fresh hosts, once with each cluster manager: each command in its order, on the host that the remark
 * before its block names (test/docs/host-blocks.ts), and what each check prints against what the page shows.
 *
 * The hosts have no network beside each other: what apt-get, pip and npm would fetch is there before (support/bare-host.ts).
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

for (const manager of ['heartbeat', 'keepalived', 'pacemaker'] as const) {
  const title = `${PAGE} with ${manager}, from two fresh hosts to a cluster, and through all that may happen to it`;
  it(title, { skip }, async (t) => {
    const network = await Network.start();
    try {
      await withJournals(title, network, async () => {
        const newcomer = new Newcomer(network);
        await newcomer.setUp(manager);
        const course = courseOf(PAGE, manager);
        assert.ok(course.length >= FEWEST_BLOCKS, `${course.length} blocks are to be played`);
        for (const block of course) {
          const began = Date.now();
          await newcomer.play(block);
          t.diagnostic(
            `${PAGE}:${block.line} (${block.remark}): ${((Date.now() - began) / 1000).toFixed(1)} s, ${((Date.now() - newcomer.began) / 1000).toFixed(0)} s in all`,
          );
        }
      });
    } finally {
      await network.end();
    }
  });
}

/** Somebody at the keyboards of two hosts, with the page before his eyes. */
class Newcomer {
  readonly began = Date.now();
  private readonly hosts: readonly Host[];
  /** What install.sh has printed at its end on each host. */
  private readonly left = new Map<Host, string>();

  constructor(private readonly network: Network) {
    this.hosts = ['m1', 'm2'].map((name, index) => network.host(name, index + 1));
  }

  async setUp(manager: Manager): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.boot()));
    await makeBare(this.hosts, manager);
    if (manager === 'pacemaker') await new Fencing(this.network, this.hosts).install();
  }

  async play(block: HostBlock): Promise<void> {
    if (block.isOnce || block.where === 'by hand') await sleep(READING_MS);
    if (block.where === 'by hand') return this.doByHand(block);
    const chosen = this.hosts.filter(({ name }) => block.where === 'both' || block.where === name);
    await Promise.all(
      chosen.map((host) => (block.language === 'console' ? check(host, block) : this.type(host, block))),
    );
  }

  private async type(host: Host, { lines, line }: HostBlock): Promise<void> {
    const text = `cd\nset -e\n${lines.join('\n')}`;
    const { status, output } = await host.inside(text, { timeoutMs: LONGEST_COMMAND_MS });
    assert.equal(status, 0, `${PAGE}:${line} on ${host.name} ended with ${status}:\n${output}`);
    const [, left] = /^Left for you, on m[12]:\n([\s\S]*)$/m.exec(output) ?? [];
    if (left !== undefined) this.left.set(host, left);
  }

  private async doByHand({ lines, line }: HostBlock): Promise<void> {
    for (const text of lines) {
      const [, name, what] =
        /^(m1|m2): (power off|power on|write your devices into \S+|do what install\.sh has left)$/.exec(text) ?? [];
      const host = this.hosts.find((each) => each.name === name);
      assert.ok(host, `${PAGE}:${line}: ${text}`);
      if (what === 'power off') await host.power();
      else if (what === 'power on') {
        await host.boot();
        host.heal();
      } else if (what === 'do what install.sh has left') await this.doWhatIsLeft(host);
      else await writeDevices(host);
    }
  }

  /** The commands below each `as root:`, on the host that is named there. */
  private async doWhatIsLeft(host: Host): Promise<void> {
    const steps = [...(this.left.get(host) ?? '').matchAll(/^- .*?(on (m[12])|here), as root:\n((?: {4}.*\n)+)/gm)];
    assert.equal(steps.length, 2, `install.sh has left on ${host.name}:\n${this.left.get(host)}`);
    for (const [, , name = host.name, text = ''] of steps) {
      const on = this.hosts.find((each) => each.name === name);
      await on?.ok(text.replaceAll(/^ {4}compare: .*$/gm, ''));
    }
  }
}

/** Runs each command until it prints what the page shows. */
async function check(host: Host, { lines, line, isOnce }: HostBlock): Promise<void> {
  const starts = lines.flatMap((text, at) => (text.startsWith('$ ') ? [at] : []));
  assert.equal(starts[0], 0, `${PAGE}:${line} begins with no command`);
  for (const [index, at] of starts.entries()) {
    const command = (lines[at] ?? '').slice(2);
    const shown = masked(lines.slice(at + 1, starts[index + 1]).join('\n'));
    for (const until = Date.now() + (isOnce ? 0 : LONGEST_WAIT_MS); ; await sleep(500)) {
      const { output } = await host.inside(`cd\n${command}`, { timeoutMs: LONGEST_COMMAND_MS });
      if (masked(output) === shown) break;
      if (Date.now() >= until)
        assert.equal(masked(output), shown, `${PAGE}:${line + 1 + at} on ${host.name}: ${command}`);
    }
  }
}

function masked(output: string): string {
  return normalise(output).replace(/\b\d+ s after\b/g, 'N s after');
}
