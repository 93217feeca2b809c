import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DAT } from './history.js';
import { BLOBS } from './image.js';
import { isIgnored } from './read-disk.js';

/**
 * Everything that a sync can see of a slave that is in step: names, links, bytes, owners and modes, and the times of blobs. Two
 * slaves with equal fingerprints differ in their inodes only. The `.dat` must be one that names its slave's inode.
 */
export function fingerprint(slave: string, withBlobs: boolean): string {
  const hash = createHash('sha1');
  const first = new Map<bigint, string>();
  const add = (name: string): void => {
    const path = join(slave, name);
    const { ino, mode, uid, gid, mtimeNs } = statSync(path, { bigint: true });
    const known = first.get(ino) ?? name;
    first.set(ino, known);
    hash.update(`${name}\n${known}\n${mode} ${uid} ${gid} ${name.endsWith('.blob') ? mtimeNs : ''}\n`);
    const bytes = readFileSync(path);
    const seen = name === DAT ? withoutInode(bytes.toString('utf8')) : bytes;
    hash.update(`${seen.length}\n`).update(seen);
  };
  for (const name of readdirSync(slave).sort()) if (!isIgnored(name)) add(name);
  if (withBlobs) for (const beside of [BLOBS, `${BLOBS}.old`]) walk(slave, beside, hash, add);
  return hash.digest('base64');
}

function walk(slave: string, name: string, hash: ReturnType<typeof createHash>, add: (name: string) => void): void {
  const stats = statSync(join(slave, name), { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isDirectory()) return add(name);
  hash.update(`${name}/ ${stats.mode} ${stats.uid} ${stats.gid}\n`);
  for (const entry of readdirSync(join(slave, name)).sort()) walk(slave, join(name, entry), hash, add);
}

/** The last line is a checksum of the others. */
function withoutInode(dat: string): string {
  return dat.replace(/^slave \d+$/m, 'slave').replace(/^end .*\n$/m, '');
}
