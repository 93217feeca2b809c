import { basename, dirname, join, resolve } from 'node:path';
import { type FileFacts, factsBehindPath, factsOfPath, realPath } from '../io/facts.js';
import { elsewhere } from './elsewhere.js';

/** A given path cannot mean what the command needs: the operator's mistake, not a fault of the machine. */
export class PathMistake extends Error {
  override readonly name = 'PathMistake';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The slave's file and the files beside it, all in one directory whose path contains no symbolic link. */
export interface SlavePaths {
  readonly directory: string;
  readonly directoryFacts: FileFacts;
  readonly data: string;
  readonly dat: string;
  /** Whether this side may serve; see role.ts. */
  readonly role: string;
  readonly lock: string;
  readonly index: string;
  /** Progress of the scrub. */
  readonly scrub: string;
  /** How the last sync ended, and when one last ended in step. */
  readonly outcome: string;
  /** The last events; see events/history.ts. */
  readonly events: string;
  /** The moment that this storage and others of its group were last brought to. */
  readonly together: string;
  /** The file that a full copy or a rebuild is building. */
  readonly fresh: string;
  /** The `.dat` of that file until the swap. */
  readonly freshDat: string;
  /** The blobs that the slave's transactions name; see blobs/manifest.ts. */
  readonly blobs: string;
  /** The one of the file that is being built, until its swap. */
  readonly freshBlobs: string;
  /** Blobs that a copy of everything has finished so far. */
  readonly blobsJournal: string;
  /** The one before a rebuild, until the blobs that the master has packed away are removed. */
  readonly blobsBefore: string;
  /** Progress of the scrub through the blobs. */
  readonly blobsScrub: string;
  /** The list of files that rebuilds have kept after packs. */
  readonly packedList: string;
  /** Where a rebuild keeps the slave from before a pack; see kept-packed.ts. */
  packed(suffix: string): string;
  /** Where a rebuild keeps a slave that has transactions of its own. */
  onlyHere(tid: string): string;
}

export const DEFAULT_FILE = 'Data.fs';

/** MASTER or SLAVE as given: a data directory, or the file itself. */
export interface Side {
  /** Absolute. */
  readonly path: string;
  /** The file's name when the file itself was given; undefined for a directory. */
  readonly name: string | undefined;
}

/**
 * Decides between the two by what exists. A path that does not exist counts as a directory unless its name is the
 * file's.
 */
export function sideOf(given: string, file: string | undefined, there: FileFacts | undefined): Side {
  // An unset variable in a script would name the current directory.
  if (given === '') throw new PathMistake('a path is empty', 'is a variable of a script not set?');
  const path = resolve(given);
  const name = basename(path);
  const isFile = there ? there.kind !== 'directory' : name === (file ?? DEFAULT_FILE) || name.endsWith('.fs');
  return { path, name: isFile ? name : undefined };
}

/**
 * The file's name in a side that was given as a directory: `--file`, else the name of a side that was given as a file,
 * else Data.fs.
 */
export function nameInDirectory(file: string | undefined, ...sides: readonly (Side | undefined)[]): string {
  return file ?? sides.find((side) => side?.name !== undefined)?.name ?? DEFAULT_FILE;
}

export function fileOf({ path, name }: Side, inDirectory: string): string {
  return name === undefined ? join(path, inDirectory) : path;
}

/** Calls `stat`, which may have a deadline: the mount may hang. */
export async function masterSide(
  given: string,
  file: string | undefined,
  stat: (path: string) => Promise<FileFacts | undefined> = factsBehindPath,
): Promise<Side> {
  const there = await stat(resolve(given));
  const other = there === undefined ? elsewhere(given) : undefined;
  if (other && (await stat(resolve(other.first))) === undefined)
    throw new PathMistake(`${given} is not a path of this machine`, other.mountHint);
  return sideOf(given, file, there);
}

/**
 * MASTER without any access to its mount, which may hang: a file if its name ends with .fs, or if SLAVE is a directory
 * that holds a file of that name.
 */
export function masterSideByName(given: string, slave: string, file: string | undefined): Side {
  const side = sideOf(given, file, undefined);
  const name = basename(side.path);
  return factsOfPath(join(resolve(slave), name))?.kind === 'file' ? { ...side, name } : side;
}

/** MASTER, for a command without another side. */
export async function masterPath(
  given: string,
  file: string | undefined,
  stat?: (path: string) => Promise<FileFacts | undefined>,
): Promise<string> {
  const side = await masterSide(given, file, stat);
  return fileOf(side, nameInDirectory(file, side));
}

interface SlaveSide extends Side {
  readonly directory: string;
  readonly directoryFacts: FileFacts;
}

/**
 * SLAVE is a data directory or the file itself. The directory has to exist: creating it would hide an unmounted disk.
 * Symbolic links on the way to it are followed.
 */
export function slaveSide(given: string, file: string | undefined): SlaveSide {
  const path = resolve(given);
  const there = factsAt(path) ?? factsOfPath(path);
  const other = there === undefined ? elsewhere(given) : undefined;
  if (other && factsOfPath(resolve(other.first)) === undefined)
    throw new PathMistake(
      `${given} is not a path of this machine`,
      `the slave is a file of the machine on which syncpozo runs: run it there, or name a directory of this one in the place of ${given}`,
    );
  const side = sideOf(given, file, there);
  const requested = side.name === undefined ? path : dirname(path);
  const directory = realPath(requested);
  const directoryFacts = directory === undefined ? undefined : factsOfPath(directory);
  if (directory === undefined || directoryFacts?.kind !== 'directory') {
    throw new PathMistake(
      `the slave's directory ${requested} does not exist`,
      'is its disk mounted? If it is, make the directory first',
    );
  }
  return { ...side, directory, directoryFacts };
}

/** The slave's file and the files beside it. The file itself must not be a symbolic link. */
export function slavePaths(given: string, file: string | undefined, master?: Side): SlavePaths {
  const side = slaveSide(given, file);
  const { directory, directoryFacts } = side;
  const data = join(directory, side.name ?? nameInDirectory(file, master));
  const at = factsOfPath(data);
  if (at?.kind === 'symbolic link') {
    throw new PathMistake(
      `the slave ${data} is a symbolic link`,
      "name the file that it points to; links are not followed out of the slave's directory",
    );
  }
  if (at !== undefined && at.kind !== 'file') {
    throw new PathMistake(
      `the slave ${data} is a ${at.kind}, not a file`,
      'SLAVE is the directory that holds Data.fs, or the path of the file itself',
    );
  }
  return {
    directory,
    directoryFacts,
    data,
    dat: `${data}.dat`,
    role: `${data}.role`,
    lock: `${data}.lock`,
    index: `${data}.index`,
    scrub: `${data}.scrub`,
    outcome: `${data}.outcome`,
    events: `${data}.events`,
    together: `${data}.together`,
    fresh: `${data}.new`,
    freshDat: `${data}.new.dat`,
    blobs: `${data}.blobs`,
    freshBlobs: `${data}.new.blobs`,
    blobsJournal: `${data}.blobs.journal`,
    blobsBefore: `${data}.blobs.before`,
    blobsScrub: `${data}.blobs.scrub`,
    packedList: `${data}.packed`,
    packed: (suffix) => `${data}.packed-${suffix}`,
    onlyHere: (tid) => `${data}.only-here-${tid}`,
  };
}

/** Facts of the file that a path leads to; follows a symbolic link in the last component. */
function factsAt(path: string): FileFacts | undefined {
  const real = realPath(path);
  return real === undefined ? undefined : factsOfPath(real);
}
