import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inProject, projectRoot } from '../support/root.js';

/** Where this process is in the unified hierarchy of control groups; undefined: nowhere. */
function controlGroup(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  return mount === undefined || own === undefined ? undefined : join(mount, own);
}

const GROUP = controlGroup();

/** Why no host can be booted here; false: it can. */
export function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return 'not run: it needs root';
  const version = /^systemd (\d+)/.exec(spawnSync('systemctl', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (Number(version ?? 0) < 246) return 'not run: there is no systemd 246 here (Debian: apt-get install systemd)';
  const may = spawnSync('unshare', ['-m', '-p', '-C', '-i', '-u', '-n', '-f', 'true']).status === 0;
  if (!may || GROUP === undefined)
    return 'not run: it needs the right to make namespaces, and control groups of version 2';
  return false;
}

/** A host of its own under a real systemd: see boot-systemd.sh. */
export class BootedHost {
  private readonly dir = mkdtempSync(join(tmpdir(), 'syncpozo-boot-'));
  private readonly group = join(GROUP ?? '', `syncpozo-boot-${process.pid}`);
  private booted: ChildProcess | undefined;
  private output = '';

  /** Where a file of the host stands before it boots; its directory is there. */
  fileOf(path: string): string {
    const file = join(this.dir, 'files', path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  }

  put(path: string, text: string): void {
    writeFileSync(this.fileOf(path), text);
  }

  async boot(): Promise<void> {
    const { group, dir } = this;
    mkdirSync(group);
    const boot = ['unshare', '-C', '-m', '-p', '-i', '-u', '-n', '--fork', '--kill-child', 'sh'];
    const args = [...boot, inProject('test', 'scripts', 'boot-systemd.sh'), dir, projectRoot, process.execPath];
    const booted = spawn('sh', ['-c', `echo $$ >'${group}/cgroup.procs' && exec "$@"`, 'sh', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.booted = booted;
    for (const stream of [booted.stdout, booted.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-4000);
      });
    const isUp = (): boolean => /^(running|degraded)$/.test(this.inside('systemctl is-system-running'));
    await this.eventually('systemd is up', () => booted.exitCode !== null || isUp());
    assert.equal(booted.exitCode, null, this.output);
  }

  /** Runs shell text inside, as root; returns what it prints. */
  inside(text: string): string {
    const pid = readFileSync(`/proc/${this.booted?.pid}/task/${this.booted?.pid}/children`, 'utf8').trim();
    const enter = ['-t', pid, '-m', '-p', '-i', '-u', '-n', '-C', '-r', '-w', 'env', '-i'];
    const path = 'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
    const done = spawnSync('nsenter', [...enter, path, 'sh', '-c', `exec 2>&1\n${text}`], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return done.stdout.trim();
  }

  /** A property of a unit. */
  show(unit: string, property: string): string {
    return this.inside(`systemctl show --value -p ${property} ${unit}`);
  }

  async eventually(what: string, holds: () => boolean): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const status = this.inside('systemctl status syncpozo-watch; journalctl -n 30');
    assert.fail(`never happened: ${what}\n${this.output}\n${status}`);
  }

  async end(): Promise<void> {
    this.booted?.kill('SIGKILL');
    const remove = (path: string): void => {
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) remove(join(path, entry.name));
      rmdirSync(path);
    };
    for (let tries = 0; ; tries++) {
      try {
        remove(this.group);
        break;
      } catch (error) {
        // Its processes are ending.
        if (tries === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
