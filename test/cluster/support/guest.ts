import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../../support/root.js';
import { enter, type Result } from './enter.js';
import type { Network } from './network.js';
import { childrenOf } from './processes.js';

const SCRIPT = inProject('test', 'cluster', 'support', 'guest.sh');
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** A kernel that runs as a program is slow, and the machine may be busy. */
const LONGEST_BOOT_MS = 240_000;
const USUAL_LIMIT_MS = 180_000;
/** After the limit of a command: one that reads from a mount whose server is gone takes no signal. */
const GRACE_MS = 20_000;

interface RunOptions {
  readonly user?: string;
  readonly timeoutMs?: number;
}

/**
 * A host with a kernel of its own, for what the kernel of this machine lacks: see guest.sh. Commands reach it by a serial line, so
 * that they do while its network is cut.
 *
 * Invariants: what is on its disk outlives every end of it; what its kernel had in memory alone does not outlive a power cut.
 */
export class Guest {
  readonly address: string;
  private readonly share: string;
  private readonly waiting = new Map<string, (status: number) => void>();
  private booted: ChildProcess | undefined;
  private jobs = 0;
  private console = '';

  constructor(
    private readonly network: Network,
    readonly name: string,
    private readonly number: number,
  ) {
    this.address = `192.168.1.1${number}`;
    this.share = join(network.dir, 'shares', name);
  }

  get isUp(): boolean {
    return this.booted !== undefined && this.booted.exitCode === null && this.booted.signalCode === null;
  }

  /** Returns when systemd has started all that is enabled; the milliseconds that took. */
  async boot(): Promise<number> {
    assert.ok(!this.isUp, `${this.name} is up`);
    const started = Date.now();
    mkdirSync(this.share, { recursive: true });
    this.network.run(`
      ip link show ${this.port} >/dev/null 2>&1 || ip tuntap add ${this.port} mode tap
      ip link set ${this.port} master br0 up`);
    const booted = spawn('nsenter', this.script('boot'), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.booted = booted;
    booted.stdin?.on('error', () => undefined);
    booted.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.console = (this.console + text).slice(-8000);
    });
    await this.within(LONGEST_BOOT_MS, this.listen(booted));
    await this.ok('systemctl is-system-running --wait || systemctl --failed', { timeoutMs: LONGEST_BOOT_MS });
    return Date.now() - started;
  }

  /** A power cut: nothing of it, no last packet either, is seen from outside, and what was in its memory alone is lost. */
  async power(): Promise<void> {
    this.cut();
    const { booted } = this;
    if (booted === undefined || !this.isUp) return;
    const exited = once(booted, 'exit');
    // nsenter, unshare, process 1 of its namespace: with it every process of the kernel ends.
    for (const first of childrenOf(childrenOf(booted.pid)[0])) process.kill(first, 'SIGKILL');
    await exited;
    for (const settle of this.waiting.values()) settle(137);
    this.waiting.clear();
  }

  /** Pulls the cable. */
  cut(): void {
    this.network.run(`ip link set ${this.port} down`);
  }

  /** Plugs the cable in again. */
  heal(): void {
    this.network.run(`ip link set ${this.port} up`);
  }

  /** Runs shell text, as root, on its disk while it is down, and without /srv: for what would take minutes in it. */
  async offline(text: string, input?: string): Promise<string> {
    assert.ok(!this.isUp, `${this.name} is up`);
    const { status, output } = await enter(this.script('run', `exec 2>&1\n${text}`), input);
    assert.equal(status, 0, `${this.name}: ${text}\n${output}`);
    return output;
  }

  /** Runs shell text in it, by default as root; 137: it does not end. */
  async inside(text: string, { user, timeoutMs = USUAL_LIMIT_MS }: RunOptions = {}): Promise<Result> {
    assert.ok(this.isUp, `${this.name} is down`);
    const job = String(++this.jobs);
    const home = user === undefined ? '/root' : `/home/${user}`;
    const as = user === undefined ? '' : `runuser -u ${user} -- `;
    const environment = `env -i PATH=${PATH} LC_ALL=C.UTF-8 HOME=${home}`;
    const quoted = `'${text.replaceAll("'", "'\\''")}'`;
    const file = join(this.share, `${job}.in`);
    writeFileSync(file, `cd /\nexec timeout --kill-after=1 ${timeoutMs / 1000} ${as}${environment} sh -c ${quoted}\n`);
    const ended = new Promise<number>((resolve) => this.waiting.set(job, resolve));
    this.booted?.stdin?.write(`${job}\n`);
    const status = await Promise.race([ended, sleep(timeoutMs + GRACE_MS, 137, { ref: false })]);
    this.waiting.delete(job);
    let output = '';
    try {
      output = readFileSync(join(this.share, `${job}.out`), 'utf8');
    } catch {
      // It has not begun.
    }
    return { status, output };
  }

  /** Runs shell text that must succeed; returns what it prints, without the last line's end. */
  async ok(text: string, options: RunOptions = {}): Promise<string> {
    const { status, output } = await this.inside(text, options);
    assert.equal(status, 0, `${this.name}: ${text}\n${output}`);
    return output.trimEnd();
  }

  /** Writes a file while it is down; its directories are made. */
  async put(path: string, text: string): Promise<void> {
    await this.offline(`install -D -m 644 /dev/null '${path}' && cat >'${path}'`, text);
  }

  /** The last lines that it has shown, of its kernel and of systemd. */
  get screen(): string {
    return this.console;
  }

  /** For nsenter. */
  private script(...what: readonly string[]): string[] {
    const into = [
      '-t',
      String(this.network.pid),
      '-m',
      '-n',
      '-p',
      'unshare',
      '-m',
      '-u',
      '-p',
      '--fork',
      '--kill-child',
    ];
    return [...into, 'sh', SCRIPT, this.network.dir, this.name, String(this.number), process.execPath, ...what];
  }

  private get port(): string {
    return `${this.name}-eth0`;
  }

  /** Its agent answers; from now on every line ends a command. */
  private listen(booted: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      booted.on('exit', () => reject(new Error(`${this.name} has ended`)));
      let rest = '';
      booted.stdout?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split(/\r?\n/);
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === 'up') resolve();
          const [, job = '', status] = /^(\d+) (\d+)$/.exec(line) ?? [];
          this.waiting.get(job)?.(Number(status));
        }
      });
    });
  }

  private async within(limitMs: number, answers: Promise<void>): Promise<void> {
    const late = sleep(limitMs, 'late', { ref: false });
    const outcome = await Promise.race([answers, late]).catch(String);
    assert.equal(outcome, undefined, `${this.name} does not boot: ${outcome}\n${this.console}`);
  }
}
