import { basename, join } from 'node:path';
import { formatTid } from '../filestorage/tid.js';
import { linkOrRename, listDirectory } from '../io/directory.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import type { SlavePaths } from './paths.js';

/** A slave's old file that a rebuild has kept because it has, or may have, transactions that exist nowhere else. */
export interface KeptAside {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Last modification, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

/**
 * The files that rebuilds have kept beside the slave, in the order of their names, so by last transaction, oldest
 * first.
 */
export function keptAside(paths: SlavePaths): readonly KeptAside[] {
  const start = basename(paths.onlyHere(''));
  const slaveInode = factsOfPath(paths.data)?.inode;
  const found: KeptAside[] = [];
  for (const name of listDirectory(paths.directory).sort()) {
    if (!name.startsWith(start)) continue;
    const path = join(paths.directory, name);
    const facts = factsOfPath(path);
    // A rebuild that was killed just before its swap leaves a hard link to the slave itself.
    if (facts?.kind !== 'file' || facts.inode === slaveInode) continue;
    found.push({ path, size: facts.size, writtenAt: writtenAt(facts) });
  }
  return found;
}

/**
 * Gives the slave's file a second name by a hard link, so that its own path is never empty; renames it where links are
 * impossible. Returns the name. It ends with the last transaction's tid, plus a number if another file already has that
 * name.
 */
export function keepAside(paths: SlavePaths, lastTid: bigint): string {
  const { data } = paths;
  const requested = paths.onlyHere(formatTid(lastTid));
  const inode = factsOfPath(data)?.inode;
  for (let number = 0; ; number++) {
    const aside = number === 0 ? requested : `${requested}.${number}`;
    const there = factsOfPath(aside);
    // A run that was killed between this step and the swap has already done it.
    if (there?.inode === inode) return aside;
    if (there) continue;
    linkOrRename(data, aside);
    return aside;
  }
}
