import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import { removeStaleGroups } from './control-group.js';
import { Host } from './host.js';
import { CLUSTER_FOLDER, image, type Kind } from './image.js';
import { childrenOf, ownerName } from './processes.js';
import { productPaths } from './product.js';

const HOLD = inProject('test', 'cluster', 'support', 'hold-network.sh');
const RUNS = join(CLUSTER_FOLDER, 'runs');
/** The number of the process whose run a folder is. */
const OWNER = 'owner';

/**
 * One cluster's network: a router with 192.168.1.1 on the bridge of all eth0 and 10.0.0.1 on that of all eth1. Clients run there.
 *
 * Invariants: it is in namespaces of its own, so that several stand side by side with the same addresses; all of it, hosts
 * included, ends with this process, even if that is killed. What then is left, folders and control groups, the next one removes.
 */
export class Network {
  readonly hosts: Host[] = [];
  private isolated: 'on' | 'off' = 'off';
  private readonly ended: Promise<unknown>;

  private constructor(
    /** The folder on this machine with the disks of the hosts. */
    readonly dir: string,
    private readonly holder: ChildProcess,
    /** Process 1 of the router. */
    readonly pid: number,
  ) {
    this.ended = once(holder, 'exit');
  }

  /** Every host sees each of the `shared` folders in /opt under its name there, read-only. Throws if `reasonToSkip` has a reason. */
  static async start(shared: Readonly<Record<string, string>> = {}, kind: Kind = 'image'): Promise<Network> {
    const file = image(kind);
    if (file === undefined) throw new Error('no cluster can be run here: ask reasonToSkip of image.ts first');
    removeStaleRuns();
    removeStaleGroups();
    mkdirSync(RUNS, { recursive: true });
    const dir = mkdtempSync(join(RUNS, 'run-'));
    writeFileSync(join(dir, OWNER), ownerName(process.pid));
    mkdirSync(join(dir, 'shared'));
    for (const [name, folder] of Object.entries(shared)) symlinkSync(folder, join(dir, 'shared', name));
    const apart = ['-m', '-n', '-p', '-i', '--fork', '--kill-child', '--propagation', 'private'];
    const holder = spawn('unshare', [...apart, 'sh', HOLD, dir, file, inProject(), ...productPaths()], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    holder.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown];
    if (!String(first).startsWith('ready')) throw new Error(`the router did not start: ${output}`);
    return new Network(dir, holder, childrenOf(holder.pid)[0]!);
  }

  /** A host that is not booted yet: eth0 192.168.1.1NUMBER, eth1 10.0.0.1NUMBER; its disk is empty. */
  host(name: string, number: number): Host {
    const host = new Host(this, name, number);
    this.hosts.push(host);
    return host;
  }

  /** The beginning of a command line that runs a program on the router. The program ends with its nsenter, and with the network. */
  get enter(): string[] {
    return ['nsenter', '-t', String(this.pid), '-n', '-p', 'setpriv', '--pdeathsig', 'KILL'];
  }

  /** Starts a program on the router: a client of the cluster. */
  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [nsenter, ...rest] = this.enter;
    return spawn(nsenter!, [...rest, program, ...args], options);
  }

  /** Runs shell text on the router, with the tools of the hosts; returns what it prints. Throws if it fails. */
  run(text: string): string {
    const enter = ['-t', String(this.pid), '-m', '-n', 'chroot', join(this.dir, 'router')];
    const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
    const done = spawnSync('nsenter', [...enter, 'env', '-i', path, 'sh', '-ec', `exec 2>&1\n${text}`], {
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(`on the router: ${text}\n${done.stdout}`);
    return done.stdout;
  }

  /** The hosts do not see each other; each of them and the router do. It holds for hosts that boot later, too. */
  partition(): void {
    this.isolated = 'on';
    for (const host of this.hosts) if (host.isUp) this.isolate(host);
  }

  unite(): void {
    this.isolated = 'off';
    for (const host of this.hosts) if (host.isUp) this.isolate(host);
  }

  /** Gives the ports of a host what holds at present. */
  isolate(host: Host): void {
    for (const port of host.ports) this.run(`ip link set ${port} type bridge_slave isolated ${this.isolated}`);
  }

  /** Ends all hosts, and removes their disks. */
  async end(): Promise<void> {
    this.holder.stdin?.end();
    await this.ended;
    for (const host of this.hosts) await host.forget();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function removeStaleRuns(): void {
  if (!existsSync(RUNS)) return;
  for (const name of readdirSync(RUNS)) {
    const dir = join(RUNS, name);
    let owner = '';
    try {
      owner = readFileSync(join(dir, OWNER), 'utf8');
    } catch {
      continue;
    }
    if (owner !== '' && ownerName(Number.parseInt(owner, 10)) === owner) continue;
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch {
      // Another process removes it too.
    }
  }
}
