import { linkSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileId } from './change.js';
import { withInode } from './image.js';
import type { Disk } from './model-disk.js';
import { Identities, inodeOf } from './record.js';

/** Where thousands of small files cost least. */
export function fastDirectory(): string {
  try {
    if (statSync('/dev/shm').isDirectory()) {
      const probe = join('/dev/shm', `syncpozo-probe-${process.pid}`);
      mkdirSync(probe);
      rmSync(probe, { recursive: true });
      return '/dev/shm';
    }
  } catch {
    // Not there, or not ours to write in.
  }
  return tmpdir();
}

/** Lays a state out in an existing directory, in the place of whatever it holds. Returns which inode is which file. */
export function materialise(disk: Disk, directory: string): Identities {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
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
      // Its own inode first: a `.dat` may name the slave's, whichever of them is laid out first.
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
      withInode(bytesOf(disk, file), (id) => inodes.get(id) ?? '0'),
    );
  }
  return identities;
}

function bytesOf(disk: Disk, file: FileId): Uint8Array {
  const image = disk.images.get(file);
  if (!image) throw new Error(`file ${file} has no contents`);
  return image.bytes;
}
