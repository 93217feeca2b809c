import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { blocksOf } from '../../docs/markdown.js';
import type { Result } from './enter.js';
import { Guest } from './guest.js';
import { reasonToSkip } from './image.js';
import { Network } from './network.js';
import type { Theatre } from './scene.js';
import { configuration, instance } from './set-up.js';
import { inCluster } from './site.js';

const PAGE = 'docs/cluster.md';
export const MASTER = '/mnt/peer/zeo';
const DATA = 'var/Data.fs';
const COMMITS = '/srv/zeo/log/commits';

export interface Timed extends Result {
  readonly seconds: number;
}

/** Two guests that see each other's data by NFS: ZEO runs on m1, m2 is the slave. No manager takes part. */
export class NfsPair {
  readonly began = Date.now();

  private constructor(
    readonly name: string,
    readonly network: Network,
    readonly m1: Guest,
    readonly m2: Guest,
  ) {}

  /** Set up by install.sh and by what docs/cluster.md says of NFS; returns after the first sync. */
  static async start(name: string): Promise<NfsPair> {
    const network = await Network.start({}, 'guests');
    const pair = new NfsPair(name, network, new Guest(network, 'm1', 1), new Guest(network, 'm2', 2));
    try {
      await pair.setUp();
    } catch (error) {
      await pair.explain();
      await pair.end();
      throw error;
    }
    return pair;
  }

  private async setUp(): Promise<void> {
    const { m1, m2 } = this;
    const both = [m1, m2];
    await Promise.all(both.map(install));
    this.say('install.sh has run on both');
    await Promise.all(both.map((guest) => guest.boot()));
    this.say('both guests are up');
    await Promise.all(both.map((guest) => guest.ok(`${instance('/opt/venv')}\ncp /opt/site/zeo.conf /srv/zeo/etc/`)));
    await m1.ok('/opt/venv/bin/python /opt/site/make_site.py /srv/zeo/var/Data.fs /srv/zeo/blobs 8', { user: 'zope' });
    await m1.ok('syncpozo promote main', { user: 'zope' });
    const typed = blocksOf(PAGE).find(({ lines }) => lines.includes('exportfs -ra'));
    assert.ok(typed, `${PAGE} does not export`);
    // The server of the other one has to be there when a mount is looked into.
    for (const line of typed.lines) await Promise.all(both.map((guest) => guest.ok(line)));
    this.say(`${PAGE}:${typed.line} was typed on both`);
    await this.startZeo();
    await m2.ok('syncpozo sync main', { user: 'zope' });
    this.say('the first sync is done');
  }

  say(text: string): void {
    const seconds = ((Date.now() - this.began) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`# ${this.name} ${seconds} s  ${text}\n`);
  }

  scene(title: string): void {
    this.say(`=== ${title}`);
  }

  // --- the master ---

  async startZeo(): Promise<void> {
    await this.m1.ok('/srv/zeo/bin/zeoctl start', { user: 'zope' });
  }

  async startWriter(pause = 0.05): Promise<void> {
    const writer = `/opt/venv/bin/python /opt/site/live_writer.py ${pause} ${COMMITS}`;
    await this.m1.ok(`rm -f ${COMMITS}; systemd-run --collect --unit=writer -p User=zope ${writer}`);
    await this.eventually('the first commit', async () => (await this.m1.inside(`test -s ${COMMITS}`)).status === 0);
  }

  async stopWriter(): Promise<void> {
    await this.m1.ok('systemctl stop writer');
  }

  /** The time of each commit, and how long Data.fs was then. */
  async commits(): Promise<[number, number][]> {
    const lines = (await this.m1.ok(`cat ${COMMITS}`)).split('\n');
    return lines.map((line) => line.split(' ').map(Number) as [number, number]);
  }

  // --- the slave ---

  async onSlave(command: string, timeoutMs?: number): Promise<Timed> {
    const started = Date.now();
    const result = await this.m2.inside(command, { user: 'zope', ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    const seconds = (Date.now() - started) / 1000;
    this.say(
      `${command}: status ${result.status} after ${seconds.toFixed(1)} s: ${result.output.trimEnd().slice(-600)}`,
    );
    return { ...result, seconds };
  }

  /** The bytes of both sides are equal, read through the mount; the server's own disk has no other ones. */
  async assertSame(): Promise<void> {
    await this.m2.ok(
      `cmp ${MASTER}/${DATA} /srv/zeo/${DATA} && diff -r --exclude=tmp --exclude=.layout --exclude=.removed ${MASTER}/blobs /srv/zeo/blobs`,
      { user: 'zope' },
    );
    const [one, other] = await Promise.all(
      [this.m1, this.m2].map((guest) => guest.ok(`sha256sum </srv/zeo/${DATA}; ls -R /srv/zeo/blobs | grep -c blob$`)),
    );
    assert.equal(other, one);
  }

  /**
   * A sync that is under way, every byte over the network, and slowly: some 4 seconds a megabyte, until `fast`.
   *
   * @param options of the sync
   */
  async slowSync(options: string): Promise<{ readonly sync: Promise<Timed> }> {
    await this.m2.ok('sync; echo 3 >/proc/sys/vm/drop_caches');
    await this.m1.ok('tc qdisc replace dev eth0 root tbf rate 2mbit burst 32kb latency 400ms');
    const sent = async (): Promise<number> => Number(await this.m1.ok('cat /sys/class/net/eth0/statistics/tx_bytes'));
    const before = await sent();
    const sync = this.onSlave(`syncpozo sync main ${options}`);
    await this.eventually('half a megabyte of it is over', async () => (await sent()) > before + 500_000);
    return { sync };
  }

  async fast(): Promise<void> {
    await this.m1.ok('tc qdisc delete dev eth0 root');
  }

  async unmount(): Promise<void> {
    await this.m2.ok(
      `systemctl stop mnt-peer-zeo.automount mnt-peer-zeo.mount; umount -f -l ${MASTER} 2>/dev/null || :`,
    );
  }

  /** The line in fstab again. */
  async mountAgain(): Promise<void> {
    await this.unmount();
    await this.m2.ok(`systemctl reset-failed; systemctl start mnt-peer-zeo.automount; ls ${MASTER}/var/Data.fs`);
  }

  /** A sync with status 0, after which the slave is equal; the writer rests. */
  async syncsToTheEnd(): Promise<void> {
    const { status, output } = await this.onSlave('syncpozo sync main');
    assert.equal(status, 0, output);
    await this.assertSame();
  }

  async eventually(what: string, holds: () => Promise<boolean>, seconds = 120): Promise<void> {
    const from = Date.now();
    while (!(await holds())) {
      assert.ok(Date.now() < from + seconds * 1000, `not within ${seconds} s: ${what}`);
      await sleep(300);
    }
    this.say(`${what}: after ${((Date.now() - from) / 1000).toFixed(1)} s`);
  }

  /** Prints what a person needs who was not there. */
  async explain(): Promise<void> {
    for (const guest of [this.m1, this.m2]) {
      process.stdout.write(`--- ${guest.name} has shown:\n${guest.screen.slice(-1500)}\n`);
      if (!guest.isUp) continue;
      const asked = 'journalctl --no-pager -n 60; dmesg | tail -n 15; grep nfs /proc/mounts; systemctl --failed';
      process.stdout.write(`${(await guest.inside(asked, { timeoutMs: 30_000 })).output}\n`);
    }
  }

  async end(): Promise<void> {
    await this.network.end();
  }
}

async function install(guest: Guest): Promise<void> {
  for (const name of ['zeo.conf', 'make_site.py', 'live_writer.py', 'view_of_size.py'])
    await guest.put(`/opt/site/${name}`, inCluster('support', name));
  await guest.put('/etc/syncpozo.yml', configuration({}));
  await guest.offline(`/opt/syncpozo/scripts/install.sh --host ${guest.name} --mount nfs`);
}

/** For scenes. */
export function nfsPair(name: string): Theatre<NfsPair> {
  const explain = (pair: NfsPair): Promise<void> => pair.explain();
  return { skip: reasonToSkip('guests'), start: () => NfsPair.start(name), explain, keep: explain };
}
