import { watchDirectory } from '../io/directory-watch.js';
import { isOnRemoteMount } from '../io/mount.js';

/**
 * Wakes a watch when a file of a local master's directory changes. A network file system reports no changes of other
 * hosts; there, and where the kernel allows no more watches, the interval alone decides.
 */
export class Wake {
  private readonly followed = new Map<string, (() => void) | undefined>();
  private wakeUp: () => void = () => {};

  /** Watches these directories as well from now on. */
  follow(directories: readonly string[]): void {
    for (const directory of directories) {
      if (this.followed.has(directory)) continue;
      const gone = (): boolean => this.followed.delete(directory);
      const isRemote = isOnRemoteMount(directory);
      this.followed.set(directory, isRemote ? undefined : watchDirectory(directory, () => this.wakeUp(), gone));
    }
  }

  /**
   * Waits for `longest` milliseconds, or for a change, but at least for `least`. Changes before the call do not count: the
   * round that just ended has seen them, or the next interval will.
   */
  async wait(longest: number, least: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const began = performance.now();
    await new Promise<void>((resolve) => {
      let timer = setTimeout(end, longest);
      const ended = (): void => end();
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', ended);
        resolve();
      }
      this.wakeUp = () => {
        this.wakeUp = () => {};
        clearTimeout(timer);
        timer = setTimeout(end, Math.max(0, Math.min(longest, least) - (performance.now() - began)));
      };
      signal.addEventListener('abort', ended);
    });
    this.wakeUp = () => {};
  }

  close(): void {
    for (const stop of this.followed.values()) stop?.();
    this.followed.clear();
  }
}
