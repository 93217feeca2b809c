import fs from 'node:fs';
import { factsOfPath } from './facts.js';
import { IoFault } from './fault.js';
import { notice } from './observer.js';

/**
 * Creates a copy that shares its blocks with the original. Fails where the file system cannot do that: no copy is made
 * in its place.
 */
export async function clone(from: string, to: string): Promise<void> {
  const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = fs.constants;
  try {
    await fs.promises.copyFile(from, to, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
  } catch (error) {
    throw IoFault.from(error, 'reflink', `${from} to ${to}`);
  }
  notice(() => ({ kind: 'create', path: to, inode: factsOfPath(to)?.inode ?? '' }));
}
