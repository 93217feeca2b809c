import { linkSync, mkdirSync, readdirSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileId } from './change.js';
import { BLOBS, withInode } from './image.js';
import type { Disk } from './model-disk.js';
import { Identities, inodeOf } from './record.js';

/** Where thousands of small files are cheapest. */
export function fastDirectory(): string {
  try {
    if (statSync('/dev/shm').isDirectory()) {
      const probe = join('/dev/shm', `syncpozo-probe-${process.pid}`);
      mkdirSync(probe);
      rmSync(probe, { recursive: true });
      return '/dev/shm';
    }
  } catch {
    // Missing, or not writable.
  }
  return tmpdir();
}

/**
 * Replaces the content of an existing directory, and of the blob directory beside it if the state has one, by a state.
 * Returns the file of each inode.
 */
export function materialise(disk: Disk, directory: string): Identities {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) rmSync(path, { recursive: true });
    else unlinkSync(path);
  }
  if (disk.directories) {
    for (const beside of [BLOBS, `${BLOBS}.old`]) rmSync(join(directory, beside), { recursive: true, force: true });
    for (const path of [...disk.directories.keys()].sort()) mkdirSync(join(directory, path));
  }
  const identities = new Identities();
  const paths = new Map<FileId, string>();
  const inodes = new Map<string, string>();
  const dats: string[] = [];
  for (const [name, file] of disk.names) {
    const path = join(directory, name);
    const first = paths.get(file);
    if (first !== undefined) linkSync(first, path);
    else {
      paths.set(file, path);
      // Every file gets its inode first, because a `.dat` may name the slave's before or after the slave is written.
      writeFileSync(path, name.includes('.dat') ? '' : bytesOf(disk, file));
      const inode = inodeOf(path);
      inodes.set(String(file), inode);
      identities.set(inode, file);
      if (name.includes('.dat')) dats.push(name);
    }
  }
  for (const name of dats) {
    const file = disk.names.get(name);
    if (file === undefined) continue;
    writeFileSync(
      join(directory, name),
      withInode(bytesOf(disk, file), (id) => inodes.get(id) ?? '0', { from: BLOBS, to: join(directory, BLOBS) }),
    );
  }
  for (const [file, path] of paths) {
    const modified = disk.images.get(file)?.modified;
    if (modified !== undefined) utimesSync(path, Number(modified) / 1e9, Number(modified) / 1e9);
  }
  return identities;
}

function bytesOf(disk: Disk, file: FileId): Uint8Array {
  const image = disk.images.get(file);
  if (!image) throw new Error(`file ${file} has no contents`);
  return image.bytes;
}
