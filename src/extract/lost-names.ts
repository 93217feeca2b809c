import { join } from 'node:path';
import { formatTid } from '../filestorage/tid.js';

/** The files that hold what only one side had: transactions, their blobs, and a report of them for programs and for people. */
export interface LostNames {
  readonly file: string;
  /** A blob directory. */
  readonly blobs: string;
  readonly json: string;
  readonly text: string;
}

/** `number`: from 2 on, for another file of the same transactions, whose bytes differ. */
export function lostNames(directory: string, firstTid: bigint, lastTid: bigint, number = 1): LostNames {
  const suffix = number === 1 ? '' : `-${number}`;
  return namesOfStem(join(directory, `lost-${formatTid(firstTid)}-${formatTid(lastTid)}${suffix}`));
}

/** The names that begin with a path. */
export function namesOfStem(stem: string): LostNames {
  return { file: `${stem}.fs`, blobs: `${stem}.blobs`, json: `${stem}.json`, text: `${stem}.txt` };
}
