import { STATUS_IN_FLIGHT } from '../filestorage/layout.js';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { readSmallTextIfAny } from '../io/replace.js';
import { transactionAt } from '../pipeline/records.js';
import { readableFile } from '../pipeline/scan.js';
import { readCovered } from '../standby/index-file.js';
import { Lock, parseHolder } from '../standby/lock.js';
import type { SlavePaths } from '../standby/paths.js';
import type { RoleFacts } from '../standby/role.js';
import { isUnused } from './demote.js';

/** How the last server of a file has ended. */
export type Stop = { readonly isClean: true } | { readonly isClean: false; readonly why: string };

/**
 * Whether the file's last server has closed it, as FileStorage does: the last that it writes is the index. A killed server
 * leaves one that is older: than its last transaction or, if nothing was committed since it opened the file, than the lock
 * file, into which each opening writes. A side that nobody has opened since its promotion was not stopped at all.
 *
 * Under load a stop comes in the middle of a commit. Then behind what the index covers there is a transaction that was not
 * finished, or one that was finished at this very moment.
 *
 * Reads only: it never takes the lock, which could keep a server from starting.
 */
export async function lastStop(paths: SlavePaths, facts: RoleFacts): Promise<Stop> {
  const unclean = (why: string): Stop => ({ isClean: false, why });
  const holder = Lock.probe(paths.lock);
  if (holder) return unclean(`${paths.data} is in use (${holder.holder})`);
  const lock = factsOfPath(paths.lock);
  const term = facts.terms.at(-1);
  if (lock && term && facts.role === 'master' && isOfPromotion(paths) && (await isUnused(paths.data, term)))
    return { isClean: true };
  const [data, index] = [factsOfPath(paths.data), factsOfPath(paths.index)];
  const covered = readCovered(paths.index);
  if ('missing' in covered || !index || !data) return unclean(`there is no ${paths.index}`);
  if ('problem' in covered) return unclean(covered.problem);
  if (!(await isAlmostEnd(paths.data, covered.end)))
    return unclean(`its index covers ${covered.end} of ${data.size} bytes: its last server was not stopped cleanly`);
  if ([data, lock].some((file) => file && BigInt(file.mtime) > BigInt(index.mtime)))
    return unclean('its index is older than its lock or its data: its last server was not stopped cleanly');
  return { isClean: true };
}

/** Whether one transaction at the most is committed behind a position. */
async function isAlmostEnd(path: string, position: number): Promise<boolean> {
  const file = OpenFile.openHere(path);
  try {
    const readable = readableFile(file);
    if (position > readable.size) return false;
    const next = await transactionAt(readable, position);
    if (!next || next.status === STATUS_IN_FLIGHT) return true;
    const last = await transactionAt(readable, next.end);
    return next.end <= readable.size && (!last || last.status === STATUS_IN_FLIGHT);
  } finally {
    file.closeQuietly();
  }
}

const LONGEST = 4096;

/** Whether the lock was last taken by a promotion. */
function isOfPromotion({ lock }: SlavePaths): boolean {
  return parseHolder(readSmallTextIfAny(lock, LONGEST).trim()).purpose === 'promote';
}
