import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inProject } from '../test/support/root.js';
import { must, WrongResult } from './race.js';

const SCRIPT = inProject('bench', 'delaying_fs.py');

/** How far away the files are. */
export interface Distance {
  /** How long each read request of the kernel waits. */
  readonly milliseconds: number;
  /** How much the kernel asks for at once, ahead of a reader. */
  readonly readAheadKib: number;
}

/** A directory seen through a file system on which every read takes its time; see delaying_fs.py. */
export class SlowMount {
  private constructor(
    private readonly child: ChildProcess,
    readonly directory: string,
  ) {}

  /** Why nothing can be mounted here; undefined when it can. `mountpoint` is made. */
  static missing(directory: string, mountpoint: string): string | undefined {
    mkdirSync(mountpoint, { recursive: true });
    const run = spawnSync('python3', [SCRIPT, directory, mountpoint, '0', '128'], { input: '', encoding: 'utf8' });
    if (run.status === 0) return undefined;
    const said = run.error?.message ?? run.stderr.trim().split('\n').at(-1);
    return `a FUSE mount needs Linux, root, /dev/fuse and Python 3 (${said})`;
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

  /** Takes a file's pages out of the page cache: the next read of it goes all the way. */
  forget(name: string): void {
    must(['dd', `if=${this.directory}/${name}`, 'iflag=nocache', 'count=0', 'status=none']);
  }

  async unmount(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }
}
