import { basename, join } from 'node:path';
import { listDirectory } from '../io/directory.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import type { SlavePaths } from './paths.js';

/** A slave's old file that a rebuild has kept because it has, or may have, transactions that exist nowhere else. */
export interface KeptAside {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** When it was last written, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** The files that rebuilds have kept beside the slave, by name, so with the oldest last transaction first. */
export function keptAside(paths: SlavePaths): readonly KeptAside[] {
  const start = basename(paths.onlyHere(''));
  const slaveInode = factsOfPath(paths.data)?.inode;
  const found: KeptAside[] = [];
  for (const name of listDirectory(paths.directory).sort()) {
    if (!name.startsWith(start)) continue;
    const path = join(paths.directory, name);
    const facts = factsOfPath(path);
    // A rebuild that was killed just before its swap leaves a second name of the slave itself.
    if (facts?.kind !== 'file' || facts.inode === slaveInode) continue;
    found.push({ path, size: facts.size, writtenAt: writtenAt(facts) });
  }
  return found;
}
