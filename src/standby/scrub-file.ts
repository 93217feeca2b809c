import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { readSmallTextIfAny, replaceText } from '../io/replace.js';
import type { SlavePaths } from './paths.js';

/**
 * `Data.fs.scrub`: progress of the scrub through the slave. Text, replaced by every run that scrubs.
 *
 * ```
 * syncpozo scrub 1
 * slave INODE
 * next POSITION                where the next slice begins
 * full TIME                    when the last round ended; never without one
 * ```
 *
 * It is not durable: a crash leaves an older one or an invalid text, and in the latter case a new round begins. The only
 * cost is that bytes are read again.
 */
export interface ScrubProgress {
  readonly next: number;
  /** When a round last read the complete file; undefined when none is known. */
  readonly lastFull: Date | undefined;
}

const LARGEST = 4096;
const FORM = /^syncpozo scrub 1\nslave (\d+)\nnext (\d+)\nfull (never|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n$/;
const NEW_ROUND: ScrubProgress = { next: MAGIC_LENGTH, lastFull: undefined };

/** Progress on this slave file; a new round where the file is missing, invalid or for another inode. */
export function readScrubProgress(paths: SlavePaths, slaveInode: string | undefined): ScrubProgress {
  const [inode, next, full] = FORM.exec(readSmallTextIfAny(paths.scrub, LARGEST))?.slice(1) ?? [];
  if (inode === undefined || inode !== slaveInode) return NEW_ROUND;
  const position = Number(next);
  const lastFull = full === 'never' || full === undefined ? undefined : new Date(full);
  if (!Number.isSafeInteger(position) || position < MAGIC_LENGTH) return NEW_ROUND;
  if (lastFull && Number.isNaN(lastFull.getTime())) return NEW_ROUND;
  return { next: position, lastFull };
}

/** Stores the progress. Throws an IoFault on failure. */
export function writeScrubProgress(paths: SlavePaths, slaveInode: string, { next, lastFull }: ScrubProgress): void {
  const { uid, gid } = paths.directoryFacts;
  const text = `syncpozo scrub 1\nslave ${slaveInode}\nnext ${next}\nfull ${lastFull?.toISOString() ?? 'never'}\n`;
  replaceText(paths.scrub, text, { mode: 0o644, uid, gid });
}
