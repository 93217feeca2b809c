import { closeSync, existsSync, ftruncateSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { firstDifference } from './judge.js';

/** Replaces the master by its next state as FileStorage does: in the same inode, writing only the differences. */
export function overwrite(path: string, previous: Buffer, next: Buffer): void {
  const from = firstDifference(previous, next);
  const fd = openSync(path, 'r+');
  try {
    if (next.length < previous.length) ftruncateSync(fd, next.length);
    if (from < next.length) writeSync(fd, next, from, next.length - from, from);
  } finally {
    closeSync(fd);
  }
}

/** As at the end of a pack: a new file beside the old one, two renames, a new inode. */
export function exchange(path: string, next: Buffer): void {
  writeFileSync(`${path}.pack`, next);
  if (existsSync(path)) renameSync(path, `${path}.old`);
  renameSync(`${path}.pack`, path);
  rmSync(`${path}.old`, { force: true });
}
