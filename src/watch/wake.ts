import { watchDirectory } from '../io/directory-watch.js';
import { isOnRemoteMount } from '../io/mount.js';

/**
 * Wakes a watch when a file of a local master's directory changes. A network file system reports no changes of other
 * hosts; there, and where the kernel allows no more watches, the interval alone decides.
 */
export class Wake {
  private directory: string | undefined;
  private stop: (() => void) | undefined;
  private wakeUp: () => void = () => {};

  /** Watches this directory from now on. */
  follow(directory: string): void {
    if (directory === this.directory) return;
    this.close();
    this.directory = directory;
    if (isOnRemoteMount(directory)) return;
    this.stop = watchDirectory(
      directory,
      () => this.wakeUp(),
      () => this.close(),
    );
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
    this.stop?.();
    this.stop = undefined;
    this.directory = undefined;
  }
}
