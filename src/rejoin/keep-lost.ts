import { basename, join } from 'node:path';
import { BlobTree } from '../blobs/blob-tree.js';
import type { BlobSettings } from '../blobs/settings.js';
import { completeLost, exportLost } from '../extract/export-lost.js';
import type { LostBlobs } from '../extract/lost-blobs.js';
import { readLostReport } from '../extract/lost-json.js';
import { type LostNames, namesOfStem } from '../extract/lost-names.js';
import { findTidRange } from '../extract/tid-range.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { copiedOwnership } from '../io/ownership.js';
import { withFile } from '../io/with-file.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { readableFile, upTo } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import { renderLost } from '../report/lost.js';
import { formatCount } from '../report/numbers.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { findOnlyHere, type OnlyHere } from './only-here.js';

/** What was lost, as it is kept: facts of the thin file. */
export interface KeptLost extends OnlyHere {
  readonly bytes: number;
  readonly names: LostNames;
}

export interface KeepRequest {
  readonly paths: SlavePaths;
  readonly here: OnlyHere;
  /** The slave's blob directory, if its blobs are known. */
  readonly blobs: BlobSettings | undefined;
  readonly window: Window;
  readonly deadline: ReadDeadline;
}

/** Keeps what only the slave has beside it, durably. Returns the stem of the names of the files. */
export async function keepLost({ paths, here, blobs, window, deadline }: KeepRequest): Promise<string> {
  const { directory } = paths;
  const file = OpenFile.openHere(paths.data);
  try {
    const source = readableFile(file);
    const owner = copiedOwnership(file.facts(), paths.directoryFacts);
    const { from, end } = here;
    const { names, blobs: kept } = await exportLost({
      source,
      from,
      end,
      directory,
      owner,
      window,
      blobs: blobs?.slave,
      deadline,
      render: renderLost,
    });
    if (blobs && kept) await refuseSwapped(kept, blobs, deadline);
    return basename(names.file, '.fs');
  } finally {
    file.closeQuietly();
  }
}

/** MASTER cannot have a blob of a transaction that only the slave has. */
async function refuseSwapped({ missing }: LostBlobs, blobs: BlobSettings, deadline: ReadDeadline): Promise<void> {
  const [first] = missing;
  if (!first) return;
  const found = await (await BlobTree.open(blobs.master, deadline)).openBlob(first);
  if (!found) return;
  found.file.closeQuietly();
  throw new PathMistake(
    `${blobs.master} is named as MASTER's blob directory, and has blobs that only SLAVE can have`,
    'are the two directories swapped? Name them as --blobs MASTER_DIR:SLAVE_DIR',
  );
}

/** What a stem stands for; undefined: the thin file is not there any more. */
export async function lostAt(paths: SlavePaths, stem: string, window: Window): Promise<KeptLost | undefined> {
  const names = namesOfStem(join(paths.directory, stem));
  if (factsOfPath(names.file) === undefined) return undefined;
  return withFile(names.file, async (file) => {
    const thin = readableFile(file);
    return { ...(await findOnlyHere(thin, NOTHING_YET, window)), bytes: thin.size, names };
  });
}

/** Where the blobs are that were not kept with what was lost, for people. null: all were. */
export function blobsNotKept({ names }: KeptLost, directory: string | undefined): string | null {
  const report = readLostReport(names.json);
  const count = report?.blobs ? report.blobs.missing : (report?.counts.blobs ?? 0);
  if (count === 0) return null;
  const what = `the files of ${formatCount(count, 'blob')} of what was lost`;
  return directory === undefined
    ? `${what} are not kept with it, because no blob directory was given: they are still in that of SLAVE`
    : `${what} were not found in ${directory}: was that SLAVE's blob directory? If another one was, they are still there`;
}

/**
 * Completes the reports with what MASTER has done since the fork, from the slave's own file, which has MASTER's transactions now.
 */
export async function completeReports(
  paths: SlavePaths,
  { names }: KeptLost,
  fork: { readonly position: number | undefined; readonly tid: bigint },
  claim: number,
  window: Window,
): Promise<void> {
  await withFile(paths.data, async (file) => {
    const source = upTo(readableFile(file), claim);
    const { position, tid } = fork;
    const owner = copiedOwnership(file.facts(), paths.directoryFacts);
    const known = { names, owner, window, render: renderLost };
    if (position !== undefined) {
      await completeLost({ ...known, serving: { source, from: position, end: claim } });
      return;
    }
    const none = { source, from: claim, end: claim };
    const serving = (await findTidRange(source, window, { from: tid + 1n, to: undefined })) ?? none;
    await completeLost({ ...known, serving, before: { source, from: MAGIC_LENGTH, end: serving.from } });
  });
}
