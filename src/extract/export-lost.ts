import { dirname, join } from 'node:path';
import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import type { Ownership } from '../io/replace.js';
import { hasSameBytes } from '../io/same-bytes.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import { keepLostBlobs, type LostBlobs } from './lost-blobs.js';
import { draftReport } from './lost-draft.js';
import { readLostReport, writeLostReport } from './lost-json.js';
import { type LostNames, lostNames } from './lost-names.js';
import type { LostReport } from './lost-report.js';
import { withServing } from './lost-since.js';
import type { Range } from './range.js';
import { type ThinFile, writeUnnamed } from './thin-file.js';

export interface ExportRequest extends Range {
  /** Where the files are made. */
  readonly directory: string;
  readonly owner: Ownership;
  readonly window: Window;
  /** The blob directory of the transactions; undefined where it is not known. */
  readonly blobs: string | undefined;
  readonly deadline: ReadDeadline;
  /** The report for people. */
  readonly render: (report: LostReport, names: LostNames) => string;
}

/** What only one side had, as files. */
export interface Lost {
  readonly names: LostNames;
  readonly thin: ThinFile;
  /** undefined: the blob directory is not known. */
  readonly blobs: LostBlobs | undefined;
  readonly report: LostReport;
}

/**
 * Exports a range, which must not be empty: the thin file, its blobs and a draft of the report. All of it is durable on return.
 * Called again after any crash it makes the same files: a file of the same bytes is not made twice.
 *
 * Write order: the file under a temporary name; its blobs; its name; the report for people, then the one for programs. So where
 * there is a report, there is all of it.
 */
export async function exportLost(request: ExportRequest): Promise<Lost> {
  const { source, from, end, directory, owner, window, deadline } = request;
  const temporary = join(directory, 'lost.fs.tmp');
  try {
    const unnamed = await writeUnnamed({ source, from, end, owner, window, signal: deadline.signal }, temporary);
    const names = namesFor(unnamed, temporary, directory);
    const thin = { ...unnamed, path: names.file };
    const blobs = await blobsOf(thin, names, request);
    settle(temporary, names.file);
    const report = await draftReport({ range: { source, from, end }, thin, blobs, window });
    writeLostReport(names, report, request.render(report, names), owner);
    return { names, thin, blobs, report };
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** The first names that are free, or that belong to a file of the same bytes. */
function namesFor({ firstTid, lastTid }: Pick<ThinFile, 'firstTid' | 'lastTid'>, temporary: string, directory: string) {
  for (let number = 1; ; number++) {
    const names = lostNames(directory, firstTid, lastTid, number);
    const there = factsOfPath(names.file);
    if (!there || (there.kind === 'file' && hasSameBytes(names.file, temporary))) return names;
  }
}

async function blobsOf(thin: ThinFile, names: LostNames, { blobs: tree, deadline }: ExportRequest) {
  if (tree === undefined) return undefined;
  return keepLostBlobs({ tree, ids: thin.blobs, directory: names.blobs, deadline });
}

/** Gives the file its name, unless one of the same bytes has it: the name of that one may be in memory only. */
function settle(temporary: string, path: string): void {
  if (factsOfPath(path)) removeIfThere(temporary);
  else rename(temporary, path);
  syncDirectory(dirname(path));
}

export interface CompleteRequest {
  readonly names: LostNames;
  /** The serving side's transactions since the fork, in any file that has them. There may be none. */
  readonly serving: Range;
  /** Those before, where they are not the same bytes on both sides: one of the two was packed. */
  readonly before?: Range | undefined;
  readonly owner: Ownership;
  readonly window: Window;
  readonly render: ExportRequest['render'];
}

/**
 * Adds to a report what the serving side has done with the objects since the fork. undefined: there is no report of these names.
 */
export async function completeLost(request: CompleteRequest): Promise<LostReport | undefined> {
  const { names, serving, before, owner, window } = request;
  const draft = readLostReport(names.json);
  if (!draft) return undefined;
  const report = await withServing({ ...draft, file: names.file }, serving, window, before);
  writeLostReport(names, report, request.render(report, names), owner);
  return report;
}
