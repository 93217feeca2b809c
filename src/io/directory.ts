import fs from 'node:fs';
import { attempt, IoFault } from './fault.js';
import { notice } from './observer.js';

/** Makes the names in a directory durable: what was created, renamed or removed in it. */
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

/** Replaces whatever is at `to` by `from` in one step. */
export function rename(from: string, to: string): void {
  attempt('rename', `${from} to ${to}`, () => fs.renameSync(from, to));
  notice(() => ({ kind: 'rename', from, to }));
}

/** Removes a file; nothing at the path is fine. Returns whether one was there. */
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

/** Gives a file a second name. Fails where `to` exists (EEXIST) or the file system has no hard links. */
export function link(from: string, to: string): void {
  attempt('link', `${from} to ${to}`, () => fs.linkSync(from, to));
  notice(() => ({ kind: 'link', from, to }));
}

export function listDirectory(path: string): string[] {
  return attempt('readdir', path, () => fs.readdirSync(path));
}
