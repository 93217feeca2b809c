import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explain } from './explain.js';
import type { Host } from './host.js';
import { Load, type Visitors } from './load.js';
import { Network } from './network.js';
import { Observer } from './observer.js';
import type { LoadSettings, Noted } from './requests.js';
import { Observed, type Sample } from './samples.js';
import { exchangeKeys, install, type Manager, type PairSettings, siteOf } from './set-up.js';
import { type Answer, ask } from './site-client.js';

export const ADDRESS = '192.168.1.10';
/** Now, in seconds. */
export function seconds(): number {
  return Date.now() / 1000;
}

const SERVICES = 'syncpozo-watch syncpozo-guard syncpozo-clients zope';
/** What else is started by hand on the first day; the guard starts heartbeat by itself. */
const OF_MANAGER: Readonly<Record<Manager, string>> = {
  heartbeat: '',
  keepalived: 'syncpozo-keepalived keepalived',
  pacemaker: 'corosync pacemaker',
};

/** Two hosts with the whole cluster on them, the visitors of their site, and somebody who watches from the router. */
export class Pair {
  readonly began = Date.now();
  private loads = 0;
  private observer: Observer | undefined;

  private constructor(
    readonly name: string,
    private readonly manager: Manager,
    readonly network: Network,
    readonly m1: Host,
    readonly m2: Host,
  ) {}

  /** Set up as docs/cluster.md has it; returns when m1 serves, m2 is in step, and both sites answer. */
  static async start(name: string, settings: PairSettings = {}): Promise<Pair> {
    const { manager = 'heartbeat' } = settings;
    const network = await Network.start(siteOf(settings).shared);
    const pair = new Pair(name, manager, network, network.host('m1', 1), network.host('m2', 2));
    try {
      await pair.setUp(settings);
    } catch (error) {
      await explain(pair, name);
      await pair.end();
      throw error;
    }
    return pair;
  }

  private async setUp(settings: PairSettings): Promise<void> {
    const { m1, m2 } = this;
    await Promise.all([m1.boot(), m2.boot()]);
    this.say('both hosts are up');
    this.observer = new Observer(this.network.enter, this.network.dir, this.processes());
    await Promise.all([install(m1, settings), install(m2, settings)]);
    await exchangeKeys(m1, m2);
    await siteOf(settings).make(m1);
    await m1.ok('syncpozo promote main', { user: 'zope' });
    await Promise.all([m1, m2].map((host) => host.ok('systemctl enable --now syncpozo-peer')));
    await this.eventually('m2 sees the data of m1', () => this.sees(m2, '/mnt/peer/zeo/var/Data.fs'), 20);
    await m2.ok('syncpozo sync main', { user: 'zope' });
    this.say('the first sync is done');
    await settings.prepare?.(this.network);
    await Promise.all(
      [m1, m2].map((host) => host.ok(`systemctl enable --now --no-block ${SERVICES} ${OF_MANAGER[this.manager]}`)),
    );
    await this.until('m1 serves', ({ answers }) => answers === 'm1', 90);
    for (const host of [m1, m2]) await this.siteAnswers(host);
    await this.inStep(m2);
  }

  say(text: string): void {
    const seconds = ((Date.now() - this.began) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`# ${this.name} ${seconds} s  ${text}\n`);
  }

  scene(title: string): void {
    this.say(`=== ${title}`);
  }

  other(host: Host): Host {
    return host === this.m1 ? this.m2 : this.m1;
  }

  // --- who serves ---

  get observed(): Observed {
    return this.observer?.observed() ?? new Observed([]);
  }

  /** Waits until a sample taken from now on is so; returns after how many seconds. */
  async until(what: string, holds: (now: Sample) => boolean, seconds: number): Promise<number> {
    const from = Date.now() / 1000;
    for (;;) {
      const sample = this.observed.samples.at(-1);
      if (sample !== undefined && sample.t >= from && holds(sample)) break;
      assert.ok(Date.now() / 1000 < from + seconds, `not within ${seconds} s: ${what}`);
      await sleep(100);
    }
    const took = Date.now() / 1000 - from;
    this.say(`${what}: after ${took.toFixed(1)} s`);
    return took;
  }

  async eventually(what: string, holds: () => Promise<boolean>, seconds: number): Promise<void> {
    const from = Date.now();
    while (!(await holds())) {
      assert.ok(Date.now() < from + seconds * 1000, `not within ${seconds} s: ${what}`);
      await sleep(200);
    }
    this.say(`${what}: after ${((Date.now() - from) / 1000).toFixed(1)} s`);
  }

  // --- the site ---

  /** Visitors on the router, or where `enter` leads. */
  load(settings: Partial<LoadSettings> = {}, enter: readonly string[] = this.network.enter): Load {
    return new Load(enter, join(this.network.dir, `load-${++this.loads}.jsonl`), settings);
  }

  /** One visitor who does not wait, and asks again: he measures how long the site is away. */
  hasty(): Load {
    return this.load({ writers: 1, readers: 0, blobEach: 0, timeoutMs: 1000 });
  }

  /** Asks a server from the router: the floating address, unless one is named. */
  ask(path: string, { server = ADDRESS, method = 'GET' } = {}): Promise<Answer> {
    return ask(this.network.enter, server, path, method);
  }

  /** The host's own Zope client answers with data. */
  siteAnswers(host: Host, seconds = 180): Promise<void> {
    const server = `${host.address}:8080`;
    return this.eventually(
      `the site of ${host.name} answers`,
      async () => (await this.ask('/', { server })).status === 200,
      seconds,
    );
  }

  /** Waits for the first write that was begun after `moment` and is acknowledged; seconds from there to the acknowledgement. */
  async firstCommit(load: Visitors, moment: number, seconds = 60): Promise<number> {
    let first: Noted | undefined;
    await this.eventually(
      'the first commit through the balancer',
      async () => {
        first = load.acknowledged().find(({ start }) => start > moment);
        return first !== undefined;
      },
      seconds,
    );
    const took = (first?.end ?? 0) - moment;
    this.say(`first commit after ${took.toFixed(1)} s`);
    return took;
  }

  // --- what an operator does ---

  async boot(...hosts: readonly Host[]): Promise<void> {
    await Promise.all(hosts.map((host) => host.boot()));
    this.observer?.follow(this.processes());
    this.say(`${hosts.map(({ name }) => name).join(' and ')}: booted`);
  }

  /** Takes its power; returns when it was gone. */
  async cutPower(host: Host): Promise<number> {
    host.cut();
    const cut = seconds();
    await host.kill();
    this.say(`${host.name} has no power`);
    return cut;
  }

  /** A host that was taken over boots: it learns that, and does not serve. */
  async comesBack(host: Host): Promise<void> {
    await this.boot(host);
    await this.until(
      `${host.name} knows that it was superseded`,
      ({ hosts }) => hosts[host.name]?.role === 'superseded',
      90,
    );
  }

  /** The cluster manager of this host takes part. */
  async managed(host: Host): Promise<void> {
    const runs = async (): Promise<boolean> => (await host.inside(`systemctl is-active ${this.manager}`)).status === 0;
    await this.eventually(`${this.manager} runs on ${host.name}`, runs, 90);
  }

  /** The way back of the docs. */
  async rejoin(host: Host): Promise<void> {
    const started = Date.now();
    const output = await host.ok('syncpozo rejoin main --yes', { user: 'zope' });
    this.say(`${host.name} has rejoined in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    for (const line of output.split('\n').filter((text) => /^(copied|only in)/.test(text))) this.say(`  ${line}`);
  }

  /** The host is a slave, and lags by next to nothing. */
  async inStep(host: Host): Promise<void> {
    await this.eventually(
      `${host.name} is a slave in step`,
      async () => {
        const { status, output } = await host.inside('syncpozo status main --json', { user: 'zope' });
        if (status !== 0) return false;
        const { storages } = JSON.parse(output) as {
          storages: Record<string, { role: string; lag: { transactions: number } | null }>;
        };
        return storages['main']?.role === 'slave' && storages['main'].lag?.transactions === 0;
      },
      60,
    );
  }

  private async sees(host: Host, file: string): Promise<boolean> {
    return (await host.inside(`timeout 5 test -s '${file}'`)).status === 0;
  }

  // --- afterwards ---

  /** The ZEO instance of a host, up or down, as it is seen from outside. */
  zeoOf(host: Host): string {
    return join('/proc', String(this.network.pid), 'root', this.network.dir, 'disks', host.name, 'upper', 'srv', 'zeo');
  }

  async end(): Promise<void> {
    await this.observer?.end();
    await this.network.end();
  }

  private processes(): Record<string, { pid: number; mac: string }> {
    return Object.fromEntries(
      this.network.hosts.map((host, index) => [
        host.name,
        { pid: host.isUp ? host.pid : 0, mac: `02:00:00:00:01:1${index + 1}` },
      ]),
    );
  }
}
