import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { durableReplace, readSmallText, replaceSynced } from '../io/replace.js';
import { type Dat, formatDat, type OldRole, parseDat } from './dat.js';
import type { SlavePaths } from './paths.js';

/** About 100 bytes per chunk of 32 MiB: enough for 16 TiB. */
const LARGEST = 1 << 26;

/** `mayBePromoted`: it cannot be used, but contains the word that a promotion used to write into a `.dat`. */
export type DatFile =
  | { readonly dat: Dat; readonly old?: OldRole }
  | { readonly missing: true }
  | { readonly problem: string; readonly mayBePromoted?: boolean };

/** Reads the slave's `.dat`. Throws an IoFault when it is unreadable; any contents are a result, not an error. */
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

/** Publishes a `.dat` durably: after the return it survives a crash. */
export function publishDat(paths: SlavePaths, dat: Dat): void {
  const { uid, gid } = paths.directoryFacts;
  durableReplace(paths.dat, formatDat(dat), { mode: 0o644, uid, gid });
}

/**
 * Publishes the `.dat` of a file that `swap` puts in the slave's place: first under a temporary name (`freshDat`),
 * then, after the swap, under the slave's. `swap` syncs the directory before it renames the file, which makes the
 * temporary name durable as well. So after a crash at any moment, one of the two describes the file at the slave's
 * path.
 */
export function publishDatWith<T>(paths: SlavePaths, dat: Dat, swap: () => T): T {
  const { uid, gid } = paths.directoryFacts;
  // The current slave's `.dat` may itself come from the temporary name, renamed in memory only.
  syncDirectory(paths.directory);
  replaceSynced(paths.freshDat, formatDat(dat), { mode: 0o644, uid, gid });
  const result = swap();
  // Not synced: until the rename is durable, the temporary name also leads to the `.dat` (see readDatOf).
  rename(paths.freshDat, paths.dat);
  return result;
}

/**
 * The `.dat` that describes the file at the slave's path. A rebuild that was killed right after its swap leaves it
 * under its temporary name.
 */
export function readDatOf(paths: Pick<SlavePaths, 'dat' | 'freshDat'>, slaveInode: string | undefined): DatFile {
  const file = readDatFile(paths);
  if ('dat' in file && file.dat.slaveInode === slaveInode) return file;
  const fresh = readDatFile({ dat: paths.freshDat });
  return describes(fresh, slaveInode) ? fresh : file;
}

/**
 * Renames that `.dat` into place, or removes it if it does not describe the current file. The caller holds the slave's
 * lock.
 */
export function settleDat(paths: SlavePaths, slaveInode: string | undefined): void {
  const fresh = readDatFile({ dat: paths.freshDat });
  if ('missing' in fresh) return;
  if (describes(fresh, slaveInode) && !describes(readDatFile(paths), slaveInode)) {
    // A run that was killed right after its swap has left the swap in memory only: a power cut would bring the old file
    // back, and the only `.dat` that describes it must then still exist.
    syncDirectory(paths.directory);
    rename(paths.freshDat, paths.dat);
  } else removeIfThere(paths.freshDat);
}

function describes(file: DatFile, slaveInode: string | undefined): boolean {
  return 'dat' in file && file.dat.slaveInode === slaveInode;
}
