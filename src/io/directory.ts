import fs from 'node:fs';
import { attempt, IoFault } from './fault.js';
import { notice } from './observer.js';

/** Makes changes to a directory's entries durable: created, renamed and removed names. */
export function syncDirectory(path: string): void {
  attempt('fsync of directory', path, () => {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
  notice(() => ({ kind: 'sync-directory', path }));
}

/** Atomically replaces whatever is at `to` with `from`. */
export function rename(from: string, to: string): void {
  attempt('rename', `${from} to ${to}`, () => fs.renameSync(from, to));
  notice(() => ({ kind: 'rename', from, to }));
}

/** Removes a file. A missing file is no fault. Returns whether there was one. */
export function removeIfThere(path: string): boolean {
  try {
    attempt('unlink', path, () => fs.unlinkSync(path));
    notice(() => ({ kind: 'unlink', path }));
    return true;
  } catch (error) {
    if (error instanceof IoFault && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Creates a hard link. Fails where `to` exists (EEXIST) or the file system has no hard links. */
export function link(from: string, to: string): void {
  attempt('link', `${from} to ${to}`, () => fs.linkSync(from, to));
  notice(() => ({ kind: 'link', from, to }));
}

export function listDirectory(path: string): string[] {
  return attempt('readdir', path, () => fs.readdirSync(path));
}
