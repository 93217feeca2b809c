import { basename, dirname, join, resolve } from 'node:path';
import { type FileFacts, factsBehindPath, factsOfPath, realPath } from '../io/facts.js';

/** A path that was given cannot mean what the command needs: the operator's mistake, not a fault of the machine. */
export class PathMistake extends Error {
  override readonly name = 'PathMistake';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The slave's file and what stands beside it, all in one directory whose own path holds no symbolic link. */
export interface SlavePaths {
  readonly directory: string;
  readonly directoryFacts: FileFacts;
  readonly data: string;
  readonly dat: string;
  readonly lock: string;
  readonly index: string;
  /** How far the scrub has come. */
  readonly scrub: string;
  /** How the last sync ended, and when one last ended in step. */
  readonly outcome: string;
  /** The file that is being built by a full copy or a rebuild. */
  readonly fresh: string;
  /** Where a slave with transactions of its own is kept when a rebuild replaces it. */
  onlyHere(tid: string): string;
}

/**
 * MASTER is a data directory or the file itself. Asks through `stat`, which may be patient: the mount may hang.
 * A path that does not exist is taken for a directory unless its name is the file's.
 */
export async function masterPath(
  given: string,
  file: string,
  stat: (path: string) => Promise<FileFacts | undefined> = factsBehindPath,
): Promise<string> {
  const path = resolve(given);
  const facts = await stat(path);
  if (facts === undefined) return basename(path) === file || path.endsWith('.fs') ? path : join(path, file);
  return facts.kind === 'directory' ? join(path, file) : path;
}

/**
 * SLAVE is a data directory or the file itself. The directory has to exist: making it would hide an unmounted disk.
 * Symbolic links on the way to the directory are followed; the file itself must not be one.
 */
export function slavePaths(given: string, file: string): SlavePaths {
  const path = resolve(given);
  const isDirectory = factsAt(path)?.kind === 'directory';
  const namesFile =
    !isDirectory && (factsOfPath(path) !== undefined || basename(path) === file || path.endsWith('.fs'));
  const wanted = namesFile ? dirname(path) : path;
  const directory = realPath(wanted);
  const directoryFacts = directory === undefined ? undefined : factsOfPath(directory);
  if (directory === undefined || directoryFacts?.kind !== 'directory') {
    throw new PathMistake(
      `the slave's directory ${wanted} does not exist`,
      'is its disk mounted? If it is, make the directory first',
    );
  }
  const data = join(directory, namesFile ? basename(path) : file);
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
    lock: `${data}.lock`,
    index: `${data}.index`,
    scrub: `${data}.scrub`,
    outcome: `${data}.outcome`,
    fresh: `${data}.new`,
    onlyHere: (tid) => `${data}.only-here-${tid}`,
  };
}

/** Facts of what a path leads to, its last component followed if it is a link. */
function factsAt(path: string): FileFacts | undefined {
  const real = realPath(path);
  return real === undefined ? undefined : factsOfPath(real);
}
