import type { BlobId } from '../blobs/layout.js';
import { removeIfThere } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership, type Ownership } from '../io/replace.js';
import type { Window } from '../pipeline/window.js';
import { examineRange, type Range } from './range.js';
import { ThinCopy } from './thin-copy.js';
import { ThinOutput } from './thin-output.js';

export interface ThinFileRequest extends Range {
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
 * Writes the transactions of a range, one at least, as a Data.fs that stock FileStorage opens (see ThinCopy), durably, under a
 * temporary name, which itself need not survive a crash. Throws RangeDamaged where the range breaks a rule of the format: then
 * nothing is written, or a part of it.
 */
export async function writeUnnamed(
  { source, from, end, owner, window, signal }: ThinFileRequest,
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
