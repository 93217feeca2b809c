import { basename, dirname, join } from 'node:path';
import { linkOrRename, listDirectory, removeIfThere, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { mayHaveOpen } from '../io/processes.js';

/** Nobody gives this name to a file of his own: what has it may be removed. */
const MARK = 'syncpozo-tmp';
const LEFT = new RegExp(`^(\\d+)\\.${MARK}(\\.tmp)?$`);

/**
 * The name of a new file until it is complete. Each process has its own: of two that make the same file, one would put
 * the unfinished file of the other in place.
 */
export function unfinishedOf(path: string): string {
  return `${path}.${process.pid}.${MARK}`;
}

/** As unfinishedOf, for a directory: a run after one that was killed goes on in it. */
export function unfinishedDirectoryOf(path: string): string {
  return `${path}.${MARK}`;
}

/** Removes what killed runs have left of a new file, but for the file with this inode. */
export function removeUnfinished(path: string, spared?: string): void {
  const start = `${basename(path)}.`;
  for (const name of listDirectory(dirname(path)).filter((each) => each.startsWith(start))) {
    const [, pid] = LEFT.exec(name.slice(start.length)) ?? [];
    const left = join(dirname(path), name);
    if (pid === undefined || mayHaveOpen(pid, left)) continue;
    const facts = factsOfPath(left);
    if (facts?.kind === 'file' && facts.inode !== spared) removeIfThere(left);
  }
}

/**
 * Makes a file at a path where nothing is: `write` makes it durable under a temporary name, and only then it gets its own. Fails
 * (EEXIST) where somebody has made something there meanwhile.
 */
export async function makeNewFile<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = unfinishedOf(path);
  removeUnfinished(path);
  try {
    const result = await write(temporary);
    nameNewFile(temporary, path);
    return result;
  } finally {
    removeIfThere(temporary);
  }
}

/** Gives a file its name, durably. Fails (EEXIST) where something has it. */
export function nameNewFile(temporary: string, path: string): void {
  linkOrRename(temporary, path);
  syncDirectory(dirname(path));
  removeIfThere(temporary);
}
