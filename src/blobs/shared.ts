import { join } from 'node:path';
import { listDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { readDatFile } from '../standby/dat-file.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';

const DAT = '.dat';

/**
 * The file of another slave beside this one whose blobs were copied into this directory. Each of the two would remove what the
 * other one still needs, once its master is packed. undefined: none is known.
 */
export function otherSlaveOf(paths: SlavePaths, directory: string): string | undefined {
  const dats = listDirectory(paths.directory).filter((name) => name.endsWith(`.fs${DAT}`));
  return dats
    .map((name) => join(paths.directory, name.slice(0, -DAT.length)))
    .find((path) => path !== paths.data && claims(path, directory));
}

function claims(path: string, directory: string): boolean {
  try {
    const file = readDatFile({ dat: path + DAT });
    // A side that serves gets another inode by a pack, and still has its blobs there.
    const claimed = 'dat' in file && factsOfPath(path) !== undefined ? file.dat.blobs : undefined;
    return claimed !== undefined && (claimed.directory === directory || isSame(claimed.directory, directory));
  } catch (error) {
    // It is not this slave's: what cannot be read there stops no sync.
    if (error instanceof IoFault) return false;
    throw error;
  }
}

/** A directory has two paths where it is mounted at a second place as well. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [factsOfPath(one), factsOfPath(other)];
  return a !== undefined && a.device === b?.device && a.inode === b.inode;
}

/** Throws PathMistake where the blobs of another slave are in the directory that this one is about to use. */
export function refuseShared(paths: SlavePaths, directory: string): void {
  const other = otherSlaveOf(paths, directory);
  if (other === undefined) return;
  throw new PathMistake(
    `${directory} has the blobs of another slave, ${other}`,
    `give each slave a blob directory of its own: a pack of the one master would remove what the other slave needs. If ${other} is no slave any more, move it and ${other}.dat away`,
  );
}
