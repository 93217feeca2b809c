import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A file system in memory, in its own mount namespace that a process keeps alive, so that nothing of it can remain.
 * Its path is `mount` for commands run `through` it, and `view` for the test.
 */
export class SmallDisk {
  private constructor(
    private readonly keeper: ChildProcess,
    readonly mount: string,
  ) {}

  static async make(mount: string, bytes: number): Promise<SmallDisk> {
    mkdirSync(mount);
    const script = 'mount -t tmpfs -o size="$1" none "$2"; echo ready; exec sleep 600';
    const keeper = spawn('unshare', ['-m', 'sh', '-ec', script, 'sh', String(bytes), mount], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([once(keeper.stdout, 'data'), once(keeper, 'exit')]);
    assert.equal(keeper.exitCode, null, 'the file system could be mounted');
    return new SmallDisk(keeper, mount);
  }

  get view(): string {
    return join(`/proc/${this.keeper.pid}/root`, this.mount);
  }

  get through(): string[] {
    return ['nsenter', '-t', String(this.keeper.pid), '-m', '--'];
  }

  /** Limits the file system to `room` more bytes than it holds now. */
  leave(room: number): void {
    const { blocks, bfree, bsize } = statfsSync(this.view);
    const size = (blocks - bfree) * bsize + room;
    const [program = '', ...rest] = this.through;
    execFileSync(program, [...rest, 'mount', '-o', `remount,size=${size}`, this.mount]);
  }

  async remove(): Promise<void> {
    this.keeper.kill('SIGKILL');
    if (this.keeper.exitCode === null && this.keeper.signalCode === null) await once(this.keeper, 'exit');
  }
}
