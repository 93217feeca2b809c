import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { durableReplace, readSmallText, replaceSynced } from '../io/replace.js';
import { type Dat, formatDat, type OldRole, parseDat } from './dat.js';
import type { SlavePaths } from './paths.js';

/** Some 100 bytes a chunk of 32 MiB: room for 16 TiB. */
const LARGEST = 1 << 26;

/** `mayBePromoted`: it cannot be used, and what is left of it has the word that a promotion once left in a `.dat`. */
export type DatFile =
  | { readonly dat: Dat; readonly old?: OldRole }
  | { readonly missing: true }
  | { readonly problem: string; readonly mayBePromoted?: boolean };

/** Reads the slave's `.dat`. Unreadable ones are an IoFault; whatever it holds is an answer. */
export function readDatFile(paths: Pick<SlavePaths, 'dat'>): DatFile {
  let text: string | undefined;
  try {
    text = readSmallText(paths.dat, LARGEST);
  } catch (error) {
    if (error instanceof IoFault && (error.code === 'EISDIR' || error.code === 'EFBIG'))
      return { problem: error.message };
    throw error;
  }
  if (text === undefined) return { missing: true };
  const parsed = parseDat(text);
  if ('dat' in parsed) return parsed;
  return { problem: `${paths.dat} is not usable: ${parsed.problem}`, mayBePromoted: text.includes('promoted') };
}

/** Publishes a `.dat`: after the return it is what a crash leaves. */
export function publishDat(paths: SlavePaths, dat: Dat): void {
  const { uid, gid } = paths.directoryFacts;
  durableReplace(paths.dat, formatDat(dat), { mode: 0o644, uid, gid });
}

/**
 * Publishes the `.dat` of a file that is about to take the slave's place, around `swap`: under a name of its own before it, and
 * under the slave's after it. `swap` syncs the directory before it renames the file, which makes that name durable as well. So
 * whenever a crash comes, one of the two describes the file that is there.
 */
export function publishDatWith<T>(paths: SlavePaths, dat: Dat, swap: () => T): T {
  const { uid, gid } = paths.directoryFacts;
  // The `.dat` of the slave that is there may have come from this name, and got its own in memory only.
  syncDirectory(paths.directory);
  replaceSynced(paths.freshDat, formatDat(dat), { mode: 0o644, uid, gid });
  const result = swap();
  // Not made durable: until it is, the file has the name under which it is looked for as well.
  rename(paths.freshDat, paths.dat);
  return result;
}

/**
 * The `.dat` of the very file at the slave's path. After a rebuild that was killed behind its swap it still has the name that it
 * had before.
 */
export function readDatOf(paths: Pick<SlavePaths, 'dat' | 'freshDat'>, slaveInode: string | undefined): DatFile {
  const file = readDatFile(paths);
  if ('dat' in file && file.dat.slaveInode === slaveInode) return file;
  const coming = readDatFile({ dat: paths.freshDat });
  return describes(coming, slaveInode) ? coming : file;
}

/** Gives that one its place, or removes one that describes no file that is there. The caller holds the slave's lock. */
export function settleDat(paths: SlavePaths, slaveInode: string | undefined): void {
  const coming = readDatFile({ dat: paths.freshDat });
  if ('missing' in coming) return;
  if (describes(coming, slaveInode) && !describes(readDatFile(paths), slaveInode)) {
    // A run that was killed right behind its swap has left that in memory only: a power cut would bring the old file back, and
    // the only `.dat` that describes it must be there then.
    syncDirectory(paths.directory);
    rename(paths.freshDat, paths.dat);
  } else removeIfThere(paths.freshDat);
}

function describes(file: DatFile, slaveInode: string | undefined): boolean {
  return 'dat' in file && file.dat.slaveInode === slaveInode;
}
