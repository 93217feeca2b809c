import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Result, run, scripts } from './shell.js';
import type { Instance } from './zeo.js';

const folder = join(scripts, 'keepalived');
/** As keepalived's configuration has it. */
const CHECK = join(folder, 'check');
const NOTIFY = join(folder, 'notify');

/** The floating address, and that of the other host, which are both in a network namespace of the test. */
export const ADDRESS = '192.0.2.10';
export const PEER = '192.0.2.12';

export type State = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP';

/** A host's notify service in a network namespace of its own, with the test in keepalived's place. */
export class Elected {
  private constructor(
    private readonly instance: Instance,
    private readonly service: ChildProcess,
    private readonly log: () => string,
  ) {}

  static async start(t: TestContext, instance: Instance): Promise<Elected> {
    instance.set({
      cluster_manager: 'keepalived',
      cluster_address: `${ADDRESS}/24`,
      cluster_interface: 'eth0',
      peer_address: PEER,
      syncpozo_peer: 'm2',
    });
    const network = `ip link set lo up && ip link add eth0 type veth peer name other && ip link set eth0 up && ip link set other up &&
      ip address add 192.0.2.11/24 dev eth0 && ip address add ${PEER}/32 dev lo && exec '${NOTIFY}'`;
    const service = spawn('unshare', ['-n', 'sh', '-c', network], {
      env: environment(instance),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    for (const stream of [service.stdout, service.stderr])
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
    t.after(() => service.kill('SIGKILL'));
    const elected = new Elected(instance, service, () => text);
    // By its number: the file may be there from a service before it, or from the test.
    await elected.until(
      'the service makes its pipe',
      async () => elected.text('keepalived.pid') === `${service.pid}\n`,
    );
    return elected;
  }

  /** What it has said since it began. */
  get said(): string {
    return this.log();
  }

  /** Writes the line that keepalived would. */
  becomes(state: State): void {
    writeFileSync(this.file('keepalived.fifo'), `INSTANCE "syncpozo" ${state} 100\n`);
  }

  /** A file that the scripts share. */
  file(name: string): string {
    return join(this.instance.run, name);
  }

  text(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  /** Asks as keepalived does once a second. */
  check(env: Readonly<Record<string, string>> = {}): Promise<Result> {
    return this.inside([CHECK], env);
  }

  /** Asks until the answer is this one. */
  async checkUntil(status: number, tries = 60): Promise<Result> {
    for (;;) {
      const result = await this.check();
      if (result.status === status) return result;
      tries -= 1;
      if (tries === 0) throw new Error(`check never ends with ${status}: ${result.stderr}\n${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  inside(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Result> {
    const enter = ['-t', String(this.service.pid), '-n', '--', ...command];
    return run('nsenter', enter, { env: { ...environment(this.instance), ...env } });
  }

  async hasAddress(): Promise<boolean> {
    return (await this.inside(['ip', '-o', 'address', 'show', 'dev', 'eth0'])).stdout.includes(` ${ADDRESS}/`);
  }

  async listens(): Promise<boolean> {
    const { stdout } = await this.inside(['cat', '/proc/net/tcp']);
    const port = this.instance.port.toString(16).toUpperCase().padStart(4, '0');
    return new RegExp(`:${port} [0-9A-F:]+ 0A `).test(stdout);
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never: ${what}\n${this.said}`);
  }
}

function environment(instance: Instance): Record<string, string> {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...instance.env, SYNCPOZO_BOOT_WAIT: '0' };
}
