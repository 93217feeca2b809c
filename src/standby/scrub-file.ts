import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { IoFault } from '../io/fault.js';
import { readSmallText, replaceText } from '../io/replace.js';
import type { SlavePaths } from './paths.js';

/**
 * `Data.fs.scrub`: how far the scrub has come on its way round the slave. Text, replaced by every run that scrubs.
 *
 * ```
 * syncpozo scrub 1
 * slave INODE
 * next POSITION                where the next slice begins
 * full TIME                    when the last round ended; never without one
 * ```
 *
 * It is not made durable: what a crash leaves of it is an older one, or one that cannot be parsed, and then a round
 * begins anew. All that is lost is the reading of a slice.
 */
export interface ScrubProgress {
  readonly next: number;
  /** When everything had been read in one round; undefined: never, as far as is known. */
  readonly lastFull: Date | undefined;
}

const LARGEST = 4096;
const FORM = /^syncpozo scrub 1\nslave (\d+)\nnext (\d+)\nfull (never|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n$/;
const ANEW: ScrubProgress = { next: MAGIC_LENGTH, lastFull: undefined };

/** The progress on this very slave file; that of a round that has not begun where there is none, or none that is usable. */
export function readScrubProgress(paths: SlavePaths, slaveInode: string | undefined): ScrubProgress {
  const [inode, next, full] = FORM.exec(readText(paths.scrub))?.slice(1) ?? [];
  if (inode === undefined || inode !== slaveInode) return ANEW;
  const position = Number(next);
  const lastFull = full === 'never' || full === undefined ? undefined : new Date(full);
  if (!Number.isSafeInteger(position) || position < MAGIC_LENGTH) return ANEW;
  if (lastFull && Number.isNaN(lastFull.getTime())) return ANEW;
  return { next: position, lastFull };
}

function readText(path: string): string {
  try {
    return readSmallText(path, LARGEST) ?? '';
  } catch (error) {
    // Whatever stands there or cannot be read, a link or a directory: a round begins anew.
    if (error instanceof IoFault) return '';
    throw error;
  }
}

/** Notes the progress. Throws an IoFault where that cannot be done. */
export function writeScrubProgress(paths: SlavePaths, slaveInode: string, { next, lastFull }: ScrubProgress): void {
  const { uid, gid } = paths.directoryFacts;
  const text = `syncpozo scrub 1\nslave ${slaveInode}\nnext ${next}\nfull ${lastFull?.toISOString() ?? 'never'}\n`;
  replaceText(paths.scrub, text, { mode: 0o644, uid, gid });
}
