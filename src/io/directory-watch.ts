import fs from 'node:fs';

/**
 * Calls `onChange` for changes of files in a local directory (inotify). Returns what ends it; undefined where it cannot be
 * watched. `onEnd`: the directory is gone.
 */
export function watchDirectory(path: string, onChange: () => void, onEnd: () => void): (() => void) | undefined {
  try {
    const watcher = fs.watch(path, { persistent: false }, onChange);
    watcher.on('error', () => {
      watcher.close();
      onEnd();
    });
    return () => watcher.close();
  } catch {
    return undefined;
  }
}
