import { dirname } from 'node:path';
import type { BlobId } from '../blobs/layout.js';
import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership, type Ownership, temporaryOf } from '../io/replace.js';
import type { Window } from '../pipeline/window.js';
import { examineRange, type Range } from './range.js';
import { ThinCopy } from './thin-copy.js';
import { ThinOutput } from './thin-output.js';

export interface ThinFileRequest extends Range {
  /** Where the file is made; what is there is replaced. */
  readonly path: string;
  readonly owner: Ownership;
  readonly window: Window;
  /** Ends the work, with an Interrupted. */
  readonly signal?: AbortSignal | undefined;
}

/** Transactions of a Data.fs as a file of their own. */
export interface ThinFile {
  readonly path: string;
  readonly bytes: number;
  readonly transactions: number;
  readonly records: number;
  readonly objects: number;
  /** Of the first and the last transaction in the file. */
  readonly firstTid: bigint;
  readonly lastTid: bigint;
  /** The blobs that the transactions name. */
  readonly blobs: readonly BlobId[];
  /** Records that an encrypting storage wrote: whether they are blobs' is not known. */
  readonly encrypted: number;
}

/**
 * Writes the transactions of a range, one at least, as a Data.fs that stock FileStorage opens: see ThinCopy. The file is complete
 * and durable as soon as its name exists. Throws RangeDamaged where the range breaks a rule of the format; then nothing is
 * written, or nothing is left.
 */
export async function writeThinFile(request: ThinFileRequest): Promise<ThinFile> {
  const { path } = request;
  const temporary = temporaryOf(path);
  try {
    const thin = await writeUnnamed(request, temporary);
    rename(temporary, path);
    syncDirectory(dirname(path));
    return { ...thin, path };
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** Writes the file, durably, under a temporary name; that name itself need not survive a crash. */
export async function writeUnnamed(
  { source, from, end, owner, window, signal }: Omit<ThinFileRequest, 'path'>,
  temporary: string,
): Promise<Omit<ThinFile, 'path'>> {
  const range = { source, from, end };
  const { blobs, ...facts } = await examineRange(range, window);
  removeIfThere(temporary);
  const file = OpenFile.createNew(temporary);
  try {
    const output = new ThinOutput(file);
    const copy = new ThinCopy(range, output, signal);
    await copy.run();
    applyOwnership(file, owner);
    file.sync();
    return { ...facts, bytes: output.position, objects: copy.objects, blobs: [...blobs] };
  } finally {
    file.close();
  }
}
