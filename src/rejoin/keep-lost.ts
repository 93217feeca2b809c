import { basename, join } from 'node:path';
import { type LostNames, lostNames } from '../extract/lost-names.js';
import { type ThinFile, writeUnnamed } from '../extract/thin-file.js';
import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { temporaryOf } from '../io/replace.js';
import { withFile } from '../io/with-file.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import { type Readable, readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { SlavePaths } from '../standby/paths.js';
import { findOnlyHere, type OnlyHere } from './only-here.js';

export interface Lost extends ThinFile {
  readonly names: LostNames;
  /** Name of the files without their endings. */
  readonly stem: string;
}

/**
 * Keeps what only the slave has as a thin file beside it, durably. A file of that name with the same bytes is the one of a
 * killed run, and is used; one with other bytes stays, and this one gets a number.
 */
export async function keepLost(
  paths: SlavePaths,
  slave: Readable,
  { from, end, firstTid, lastTid }: OnlyHere,
  window: Window,
  signal: AbortSignal | undefined,
): Promise<Lost> {
  const { directory } = paths;
  const { mode, uid, gid } = factsOfPath(paths.data) ?? { ...paths.directoryFacts, mode: 0o600 };
  const first = lostNames(directory, firstTid, lastTid);
  const temporary = temporaryOf(first.file);
  try {
    const thin = await writeUnnamed({ source: slave, from, end, owner: { mode, uid, gid }, window, signal }, temporary);
    for (let number = 1; ; number++) {
      const names = lostNames(directory, firstTid, lastTid, number);
      const isThere = factsOfPath(names.file) !== undefined;
      if (isThere && !hasSameBytes(names.file, temporary)) continue;
      if (isThere) removeIfThere(temporary);
      else rename(temporary, names.file);
      // The rename of a killed run may be in memory only.
      syncDirectory(directory);
      return { ...thin, path: names.file, names, stem: basename(names.file, '.fs') };
    }
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** What a file that was kept before holds; undefined: it is not there. */
export async function lostAt(
  { directory }: SlavePaths,
  stem: string,
  window: Window,
): Promise<(OnlyHere & { readonly bytes: number; readonly names: LostNames }) | undefined> {
  const path = join(directory, stem);
  const names = { file: `${path}.fs`, blobs: `${path}.blobs`, json: `${path}.json`, text: `${path}.txt` };
  if (factsOfPath(names.file) === undefined) return undefined;
  return withFile(names.file, async (file) => {
    const thin = readableFile(file);
    return { ...(await findOnlyHere(thin, NOTHING_YET, window)), bytes: thin.size, names };
  });
}

const PIECE = 1 << 20;

function hasSameBytes(one: string, other: string): boolean {
  const files = [OpenFile.openHere(one), OpenFile.openHere(other)] as const;
  try {
    const [a, b] = files;
    const { size, kind } = a.facts();
    if (kind !== 'file' || size !== b.facts().size) return false;
    const [left, right] = [new Uint8Array(PIECE), new Uint8Array(PIECE)];
    for (let at = 0; at < size; at += PIECE) {
      const length = a.read(left, PIECE, at);
      b.read(right, PIECE, at);
      if (Buffer.compare(left.subarray(0, length), right.subarray(0, length)) !== 0) return false;
    }
    return true;
  } finally {
    for (const file of files) file.closeQuietly();
  }
}
