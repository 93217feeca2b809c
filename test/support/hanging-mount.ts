import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pair, withPair } from './pair.js';
import { needsRoot } from './powers.js';
import { inProject } from './root.js';

const SERVER = inProject('dist', 'test', 'support', 'hanging-server.js');
export const needsFuse = needsRoot ?? (existsSync('/dev/fuse') ? undefined : 'needs /dev/fuse');
/** The pair's master through a file system whose reads beyond a position hang from a given moment on. */
export class Mount {
  readonly point: string;
  private readonly control: string;
  private server: ChildProcess | undefined;

  constructor(private readonly pair: Pair) {
    this.point = join(pair.directory, 'mount');
    this.control = join(pair.directory, 'hang-beyond');
    mkdirSync(this.point);
  }

  async serve(): Promise<void> {
    const args = [SERVER, this.point, this.pair.masterFile, this.control];
    this.server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = await Promise.race([once(this.server.stdout!, 'data'), once(this.server, 'exit')]);
    assert.equal(String(output), 'mounted\n');
  }

  hangBeyond(position: number): void {
    writeFileSync(this.control, String(position));
  }

  /** Every read is answered from now on, those that hang too. */
  answer(): void {
    rmSync(this.control);
  }

  /** Nothing is answered any more, not even whether there is a file. */
  stopAnswering(): void {
    this.server?.kill('SIGSTOP');
  }

  get holdsARead(): boolean {
    return existsSync(`${this.control}.held`);
  }

  /** Reads that were not answered, in all. */
  get readsHeld(): number {
    return this.holdsARead ? statSync(`${this.control}.held`).size : 0;
  }

  /** A hanging read returns an error. */
  async end(): Promise<void> {
    this.server?.kill('SIGKILL');
    if (this.server && this.server.exitCode === null && this.server.signalCode === null)
      await once(this.server, 'exit');
    spawnSync('umount', ['-l', this.point]);
  }
}

export async function withMount(use: (pair: Pair, mount: Mount) => Promise<void>): Promise<void> {
  await withPair((pair) => withMountOf(pair, (mount) => use(pair, mount)));
}

export async function withMountOf(pair: Pair, use: (mount: Mount) => Promise<void>): Promise<void> {
  const mount = new Mount(pair);
  try {
    await mount.serve();
    await use(mount);
  } finally {
    await mount.end();
  }
}
