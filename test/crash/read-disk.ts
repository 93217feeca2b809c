import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileId } from './change.js';
import type { Identities } from './identities.js';
import { BLOBS, type Image, withInode } from './image.js';
import type { Disk } from './model-disk.js';

/**
 * Ignored: the lock file, because only the flock counts, and the files of the outcome and the events, because no run decides
 * anything by them, they are not made durable, and the times in them would make every state distinct.
 */
export function isIgnored(path: string): boolean {
  return /\.(lock|outcome(\.tmp)?|events(\.tmp|\.damaged)?)$/.test(path);
}

/** The current content of a directory, and of the blob directory beside it if that is to be read, all of it durable. */
export function readDisk(directory: string, identities: Identities, withBlobs = false): Disk {
  const names = new Map<string, FileId>();
  const directories = new Map<string, FileId>();
  const entries = readdirSync(directory).filter((name) => !isIgnored(name));
  if (withBlobs)
    for (const beside of [BLOBS, `${BLOBS}.old`]) readTree(directory, beside, entries, directories, identities);
  const inodes = new Map(entries.map((name) => [name, inodeOf(join(directory, name))]));
  const known = new Map<string, FileId>();
  for (const name of entries.sort()) {
    const inode = inodes.get(name) ?? '';
    const file = known.get(inode) ?? identities.make(inode);
    known.set(inode, file);
    names.set(name, file);
  }
  const images = new Map<FileId, Image>();
  for (const [name, file] of names) {
    const bytes = readFileSync(join(directory, name));
    const own = name.includes('.dat')
      ? withInode(bytes, (inode) => identities.textOf(inode), { from: join(directory, BLOBS), to: BLOBS })
      : bytes;
    const modified = name.endsWith('.blob') && { modified: modifiedOf(join(directory, name)) };
    images.set(file, { bytes: own, attributes: 0, ...modified });
  }
  return { names, images, ...(withBlobs && { directories }) };
}

/** Adds the files in a directory, and all directories, to those that are known. */
function readTree(
  root: string,
  path: string,
  files: string[],
  directories: Map<string, FileId>,
  identities: Identities,
): void {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (!stats) return;
  if (stats.isFile()) files.push(path);
  else {
    directories.set(path, identities.makeDirectory());
    for (const name of readdirSync(join(root, path))) readTree(root, join(path, name), files, directories, identities);
  }
}

export function inodeOf(path: string): string {
  return String(statSync(path, { bigint: true }).ino);
}

export function modifiedOf(path: string): string {
  return String(statSync(path, { bigint: true }).mtimeNs);
}
