import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inProject } from '../test/support/root.js';
import { must, WrongResult } from './race.js';

const SCRIPT = inProject('bench', 'delaying_fs.py');

/** Properties of the slow mount. */
export interface Distance {
  /** Delay of each read request from the kernel. */
  readonly milliseconds: number;
  /** How much the kernel reads ahead in one request. */
  readonly readAheadKib: number;
}

/** A directory behind a file system that delays every read; see delaying_fs.py. */
export class SlowMount {
  private constructor(
    private readonly child: ChildProcess,
    readonly directory: string,
  ) {}

  /** Why nothing can be mounted here; undefined when it can. Creates `mountpoint`. */
  static missing(directory: string, mountpoint: string): string | undefined {
    mkdirSync(mountpoint, { recursive: true });
    const run = spawnSync('python3', [SCRIPT, directory, mountpoint, '0', '128'], { input: '', encoding: 'utf8' });
    if (run.status === 0) return undefined;
    const detail = run.error?.message ?? run.stderr.trim().split('\n').at(-1);
    return `a FUSE mount needs Linux, root, /dev/fuse and Python 3 (${detail})`;
  }

  static async mount(
    directory: string,
    mountpoint: string,
    { milliseconds, readAheadKib }: Distance,
  ): Promise<SlowMount> {
    mkdirSync(mountpoint, { recursive: true });
    const args = [SCRIPT, directory, mountpoint, String(milliseconds), String(readAheadKib)];
    const child = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(() => {
      throw new WrongResult(`${SCRIPT} could not mount ${mountpoint}`);
    });
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
    ended.catch(() => {});
    return new SlowMount(child, mountpoint);
  }

  /** Drops a file's pages from the page cache, so that the next read is delayed again. */
  forget(name: string): void {
    must(['dd', `if=${this.directory}/${name}`, 'iflag=nocache', 'count=0', 'status=none']);
  }

  async unmount(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }
}
