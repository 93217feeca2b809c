import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually as eventuallyWithin } from '../support/eventually.js';
import { scratch, scripts, writeScript } from './shell.js';
import { freePort, giveRole } from './zeo.js';

/**
 * A host with the guard, and stand-ins for what it asks and commands: heartbeat, its address, the network, the resource script.
 * Each stand-in is moved by files in `state`: a file that exists means that something runs, answers, or is here.
 */
export class GuardedHost {
  readonly state: string;
  readonly dataFs: string;
  readonly peer: string;
  readonly run: string;
  output = '';
  private guard: ChildProcess | undefined;
  private server: Server | undefined;

  private constructor(
    readonly dir: string,
    readonly port: number,
  ) {
    [this.state, this.run] = [join(dir, 'state'), join(dir, 'run')];
    [this.dataFs, this.peer] = [join(dir, 'var', 'Data.fs'), join(dir, 'peer', 'Data.fs')];
  }

  /** A slave whose other host serves, both in one network. `settings`: further lines. */
  static async make(t: TestContext, settings: Readonly<Record<string, string | number>> = {}): Promise<GuardedHost> {
    const host = new GuardedHost(scratch(t), await freePort());
    for (const name of ['bin', 'state', 'run', 'var', 'peer']) mkdirSync(join(host.dir, name));
    cpSync(join(scripts, 'cluster'), join(host.dir, 'cluster'), { recursive: true });
    host.standIns();
    const given = {
      syncpozo_host: 'm1',
      syncpozo_peer: 'm2',
      peer_address: 'peer',
      peer_heartbeat: 'peer',
      ping_address: 'router',
      cluster_address: '192.0.2.10/24',
      cluster_interface: 'eth0',
      deadtime: 1,
      storages: 'main',
      storage_main_data: host.dataFs,
      storage_main_peer: host.peer,
      zeo_control: '/bin/true',
      zeo_port: host.port,
      HEARTBEAT_TOOLS: join(host.dir, 'bin'),
      ASK_EVERY: 1,
      DOWN_SECONDS: 2,
      ...settings,
    };
    const lines = Object.entries(given).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(join(host.dir, 'settings'), lines.join(''));
    giveRole(host.dataFs, 'slave', 1);
    giveRole(host.peer, 'master', 1);
    host.set('answers.router', 'answers.peer', 'answers.192.0.2.10', 'web');
    t.after(() => {
      host.kill();
      host.server?.close();
    });
    return host;
  }

  private standIns(): void {
    const note = `echo "\${0##*/} $*" >>'${this.state}/calls'`;
    const has = (what: string): string => `[ -e '${this.state}'/${what} ]`;
    const put = (name: string, body: string): void => {
      writeScript(join(this.dir, 'bin', name), `cd '${this.state}' || exit\n${body}`);
    };
    put(
      'systemctl',
      `case "$*" in
  *ActiveState*) if ${has('unit')}; then echo active; else echo inactive; fi; exit ;;
  start*) : >unit; : >heartbeat ;;
  stop*) rm -f unit heartbeat ;;
esac
${note}`,
    );
    put('pgrep', `[ "$1" != -f ] && ${has('heartbeat')} && cat heartbeat && exit 0; exit 1`);
    put(
      'ip',
      `case "$*" in *delete*) rm -f address; ${note} ;; *) ${has('address')} && echo '2: eth0 inet 192.0.2.10/24 x' ;; esac`,
    );
    put('ping', `for target; do :; done; [ -e "answers.$target" ]`);
    // One that hangs answers no question; most of those who ask give it five seconds.
    const hangs = `if ${has('hangs')}; then [ "$1" = hbstatus ] || sleep 20; exit 1; fi`;
    put('cl_status', `${hangs}; cat "status.$2" 2>/dev/null || echo active`);
    put('curl', has('web'));
    put('req_resource', note);
    // Heartbeat ignores an order at first, where it is starting.
    put('hb_standby', `${note}; if ${has('starting')}; then rm starting; else rm -f address; fi`);
    writeScript(
      join(this.dir, 'cluster', 'zeo'),
      `cd '${this.state}' || exit; ${note}; case $1 in may-start) cat refusal 2>/dev/null && exit 3; exit 0 ;; start) ${has('starts')} ;; esac`,
    );
  }

  start(): void {
    const { dir } = this;
    const guard = spawn(join(dir, 'cluster', 'guard'), {
      env: {
        PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
        SYNCPOZO_SETTINGS: join(dir, 'settings'),
        SYNCPOZO_DEFAULTS: join(dir, 'none'),
        SYNCPOZO_STATE: dir,
        SYNCPOZO_RUN: this.run,
        SYNCPOZO_SYSLOG: 'no',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [guard.stdout, guard.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    this.guard = guard;
  }

  kill(): void {
    this.guard?.kill('SIGKILL');
  }

  set(...names: readonly string[]): void {
    for (const name of names) writeFileSync(join(this.state, name), '');
  }

  unset(...names: readonly string[]): void {
    for (const name of names) rmSync(join(this.state, name), { force: true });
  }

  has(name: string): boolean {
    return existsSync(join(this.state, name));
  }

  /** This host serves, with heartbeat. */
  async serve(): Promise<void> {
    giveRole(this.dataFs, 'master', 1);
    giveRole(this.peer, 'slave', 1);
    this.set('unit', 'heartbeat', 'address');
    await this.listen();
  }

  async listen(): Promise<void> {
    const server = createServer();
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
  }

  endListening(): void {
    this.server?.close();
  }

  /** What was commanded until now. */
  calls(pattern: RegExp): number {
    if (!this.has('calls')) return 0;
    return readFileSync(join(this.state, 'calls'), 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line)).length;
  }

  /** Shows what the guard has said if it never happens. */
  async eventually(what: string, holds: () => boolean): Promise<void> {
    try {
      await eventuallyWithin(what, holds, 40_000);
    } catch (error) {
      const calls = this.has('calls') ? readFileSync(join(this.state, 'calls'), 'utf8') : '';
      throw new Error(`${what}\n${this.output}\n${calls}`, { cause: error });
    }
  }

  /** Its output may arrive after what it has done. */
  says(pattern: RegExp): Promise<void> {
    return this.eventually(`it says ${pattern}`, () => pattern.test(this.output));
  }

  /** Some rounds of the guard, in which nothing is to happen. */
  async rounds(seconds = 3): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
