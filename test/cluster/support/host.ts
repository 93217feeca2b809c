import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../../support/root.js';
import { ControlGroup } from './control-group.js';
import { enter, type Result } from './enter.js';
import { installation } from './installation.js';
import type { Network } from './network.js';
import { childrenOf } from './processes.js';

const SCRIPT = inProject('test', 'cluster', 'support', 'host.sh');
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LONGEST_BOOT_MS = 60_000;
const LONGEST_SHUTDOWN_MS = 120_000;
const USUAL_LIMIT_MS = 60_000;

export type Interface = 'eth0' | 'eth1';
const INTERFACES: readonly Interface[] = ['eth0', 'eth1'];

interface RunOptions {
  readonly user?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

interface FileOptions {
  readonly mode?: string;
  readonly owner?: string;
}

/**
 * A host of a cluster: Debian with a real systemd as process 1, in namespaces, on a disk of its own: see host.sh.
 *
 * Invariants: the disk outlives every end of the host, orderly or not; /run, /tmp and /dev do not. Its two interfaces have the
 * same hardware addresses in every boot, so that nobody's tables of neighbours are stale.
 */
export class Host {
  readonly address: string;
  readonly heartbeatAddress: string;
  private readonly group: ControlGroup;
  private booted: ChildProcess | undefined;
  private first: number | undefined;
  private console = '';
  private isPrepared = false;

  constructor(
    private readonly network: Network,
    readonly name: string,
    private readonly number: number,
  ) {
    this.address = `192.168.1.1${number}`;
    this.heartbeatAddress = `10.0.0.1${number}`;
    this.group = new ControlGroup(network.pid, name);
  }

  /** The number of its process 1 on this machine: another one after each boot. */
  get pid(): number {
    assert.ok(this.first !== undefined && this.isUp, `${this.name} is down`);
    return this.first;
  }

  get isUp(): boolean {
    return this.booted !== undefined && this.booted.exitCode === null && this.booted.signalCode === null;
  }

  /** What its interfaces are plugged into, on the router. */
  get ports(): string[] {
    return INTERFACES.map((name) => this.portOf(name));
  }

  /** Returns when systemd has started all that is enabled; the milliseconds that took. */
  async boot(): Promise<number> {
    assert.ok(!this.isUp, `${this.name} is up`);
    const started = Date.now();
    await this.prepare();
    this.group.create();
    const join = `echo 0 >'${this.group.path}/cgroup.procs' && exec "$@"`;
    const apart = ['unshare', '-C', '-m', '-p', '-i', '-u', '-n', '--fork', '--kill-child', 'sh'];
    const args = [
      '-n',
      'sh',
      '-c',
      join,
      'sh',
      ...apart,
      SCRIPT,
      this.network.dir,
      this.name,
      process.execPath,
      'boot',
    ];
    this.console = '';
    const booted = spawn('nsenter', ['-t', String(this.network.pid), '-m', '-p', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.booted = booted;
    for (const stream of [booted.stdout, booted.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.console = (this.console + text).slice(-8000);
      });
    // nsenter, unshare, process 1.
    this.first = await this.within(LONGEST_BOOT_MS, 'process 1', () => childrenOf(childrenOf(booted.pid)[0])[0]);
    await this.within(LONGEST_BOOT_MS, 'its interfaces', () => this.plugIn());
    await this.within(LONGEST_BOOT_MS, 'systemd has started everything', async () => {
      const { output } = await this.inside('systemctl is-system-running');
      return /^(running|degraded)$/m.test(output) ? true : undefined;
    });
    return Date.now() - started;
  }

  /** An orderly end: systemd stops all units. */
  async shutdown(): Promise<void> {
    const { booted } = this;
    if (booted === undefined || !this.isUp) return;
    const exited = once(booted, 'exit');
    await this.inside('systemctl poweroff');
    const late = sleep(LONGEST_SHUTDOWN_MS, 'late', { ref: false });
    assert.notEqual(await Promise.race([exited, late]), 'late', `${this.name} does not shut down\n${this.console}`);
    await this.group.remove();
  }

  /** Ends every process of it at once. The kernel still takes leave of their peers in the network: `power` does not. */
  async kill(): Promise<void> {
    const { booted } = this;
    if (booted === undefined || !this.isUp) return;
    const exited = once(booted, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await exited;
    await this.group.remove();
  }

  /** A power cut: nothing of it, no last packet either, is seen from outside. */
  async power(): Promise<void> {
    this.cut();
    await this.kill();
  }

  /** Pulls the cables. */
  cut(...names: readonly Interface[]): void {
    for (const name of names.length === 0 ? INTERFACES : names)
      this.network.run(`ip link set ${this.portOf(name)} down`);
  }

  /** Plugs the cables in again. */
  heal(...names: readonly Interface[]): void {
    for (const name of names.length === 0 ? INTERFACES : names) this.network.run(`ip link set ${this.portOf(name)} up`);
  }

  /** Runs shell text in it, by default as root. */
  async inside(text: string, { user, input, timeoutMs = USUAL_LIMIT_MS }: RunOptions = {}): Promise<Result> {
    const into = ['-t', String(this.pid), '-m', '-p', '-i', '-u', '-n', '-C', '-r', '-w', 'env', '-i', PATH];
    const limit = ['LC_ALL=C.UTF-8', 'HOME=/root', 'timeout', '--kill-after=1', `${timeoutMs / 1000}`];
    const as = user === undefined ? [] : ['runuser', '-u', user, '--', 'env', `HOME=/home/${user}`];
    return enter([...into, ...limit, ...as, 'sh', '-c', `exec 2>&1\n${text}`], input, timeoutMs);
  }

  /** Runs shell text that must succeed; returns what it prints, without the last line's end. */
  async ok(text: string, options: RunOptions = {}): Promise<string> {
    const { status, output } = await this.inside(text, options);
    assert.equal(status, 0, `${this.name}: ${text}\n${output}`);
    return output.trimEnd();
  }

  /** Runs shell text, as root, on the disk of the host while that is down: no service of it is there. */
  async offline(text: string, input?: string): Promise<Result> {
    assert.ok(!this.isUp, `${this.name} is up`);
    const into = ['-t', String(this.network.pid), '-m', '-p', 'unshare', '-m', 'sh', SCRIPT];
    return enter([...into, this.network.dir, this.name, process.execPath, 'run', `exec 2>&1\n${text}`], input);
  }

  /** Writes a file, up or down; its directories are made. */
  async put(path: string, text: string, { mode = '644', owner = 'root' }: FileOptions = {}): Promise<void> {
    const fresh = `${path}.put`;
    const install = `install -D -m ${mode} -o ${owner} -g ${owner} /dev/null '${fresh}' && cat >'${fresh}' && mv '${fresh}' '${path}'`;
    await this.prepare();
    const { status, output } = this.isUp
      ? await this.inside(install, { input: text })
      : await this.offline(install, text);
    assert.equal(status, 0, `${this.name}: ${path}: ${output}`);
  }

  /** Reads a file, up or down. */
  async read(path: string): Promise<string> {
    await this.prepare();
    const { status, output } = this.isUp ? await this.inside(`cat '${path}'`) : await this.offline(`cat '${path}'`);
    assert.equal(status, 0, `${this.name}: ${output}`);
    return output;
  }

  /** The last lines of its journal, of all boots; up or down. */
  async journal(lines = 200): Promise<string> {
    const text = `journalctl --no-pager -o short-precise -n ${lines}`;
    return (this.isUp ? await this.inside(text) : await this.offline(text)).output;
  }

  /** For the network's end: its processes are gone. */
  async forget(): Promise<void> {
    await this.group.remove();
  }

  private portOf(name: Interface): string {
    return `${this.name}-${name}`;
  }

  /** True once it is done; undefined while its namespace is not there. */
  private plugIn(): true | undefined {
    for (const [index, name] of INTERFACES.entries()) {
      const port = this.portOf(name);
      const mac = `02:00:00:00:0${index + 1}:1${this.number}`;
      const script = `
        ip link delete ${port} 2>/dev/null || :
        ip link add ${port} type veth peer name ${name} address ${mac} netns ${this.pid}
        ip link set ${port} master br${index} up`;
      try {
        this.network.run(script);
      } catch (error) {
        this.console += `${error}\n`;
        return undefined;
      }
    }
    this.network.isolate(this);
    return true;
  }

  /** Gives a new disk what a fresh installation has. */
  private async prepare(): Promise<void> {
    if (this.isPrepared) return;
    this.isPrepared = true;
    const { script, interfaces } = installation(this);
    const { status, output } = await this.offline(script, interfaces);
    assert.equal(status, 0, output);
  }

  private async within<T>(
    limitMs: number,
    what: string,
    found: () => T | undefined | Promise<T | undefined>,
  ): Promise<T> {
    for (const until = Date.now() + limitMs; ; await sleep(20)) {
      const value = await found();
      if (value !== undefined) return value;
      if (!this.isUp || Date.now() > until) assert.fail(`${this.name} does not boot: never: ${what}\n${this.console}`);
    }
  }
}
