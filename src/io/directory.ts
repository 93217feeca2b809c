import fs from 'node:fs';
import { attempt, IoFault } from './fault.js';
import { notice, noticeBegin } from './observer.js';
import type { Ownership } from './ownership.js';

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

/** Error codes of a file system without hard links, or at its limit of links for this file. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV']);

/** Gives a file a second name, so that its own is never missing; renames it where hard links are impossible. */
export function linkOrRename(from: string, to: string): void {
  try {
    link(from, to);
  } catch (error) {
    if (!(error instanceof IoFault) || !NO_LINKS.has(error.code)) throw error;
    rename(from, to);
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

/**
 * Creates a directory, as `ownership` says where this process may change owners. Its name is durable once the parent
 * is synced. A directory that is there already is left as it is; returns whether it was created.
 */
export function makeDirectoryWith(path: string, { mode, uid, gid }: Required<Ownership>): boolean {
  try {
    attempt('mkdir', path, () => fs.mkdirSync(path));
  } catch (error) {
    if (error instanceof IoFault && error.code === 'EEXIST') return false;
    throw error;
  }
  notice(() => ({ kind: 'make-directory', path }));
  own(path, { mode, uid, gid });
  return true;
}

function own(path: string, { mode, uid, gid }: Required<Ownership>): void {
  if (process.getuid?.() === 0) attempt('chown', path, () => fs.chownSync(path, uid, gid));
  attempt('chmod', path, () => fs.chmodSync(path, mode));
}

/**
 * Does for a directory what `makeDirectoryWith` does after it has made it: a run that was ended in between leaves an empty
 * one. One that holds something is left as it is, and so is somebody else's.
 */
export function ownEmptyDirectory(path: string, { mode, uid, gid }: Required<Ownership>): void {
  const now = attempt('lstat', path, () => fs.lstatSync(path));
  const user = process.geteuid?.();
  const isOwned = (now.mode & 0o7777) === mode && (user !== 0 || (now.uid === uid && now.gid === gid));
  if (isOwned || (user !== 0 && now.uid !== user) || listDirectory(path).length > 0) return;
  own(path, { mode, uid, gid });
}

/** Removes a directory if it is empty; returns whether it did. A missing one is no fault. */
export function removeDirectoryIfEmpty(path: string): boolean {
  try {
    attempt('rmdir', path, () => fs.rmdirSync(path));
  } catch (error) {
    if (error instanceof IoFault && NOT_EMPTY.has(error.code)) return false;
    throw error;
  }
  notice(() => ({ kind: 'remove-directory', path }));
  return true;
}

const NOT_EMPTY: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY']);

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
}

/** The entries of a directory; none when there is no such directory. Runs in the thread pool. */
export async function listEntriesLater(path: string): Promise<Entry[]> {
  try {
    const entries = await fs.promises.readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other',
    }));
  } catch (error) {
    const fault = IoFault.from(error, 'readdir', path);
    if (fault.code === 'ENOENT' || fault.code === 'ENOTDIR') return [];
    throw fault;
  }
}

/** As syncDirectory, but in the thread pool, for many directories at once. */
export async function syncDirectoryLater(path: string): Promise<void> {
  const done = noticeBegin(() => ({ kind: 'sync-directory', path }));
  try {
    const directory = await fs.promises.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    throw IoFault.from(error, 'fsync of directory', path);
  }
  done();
}
