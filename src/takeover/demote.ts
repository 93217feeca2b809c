import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { removeIfThere, syncDirectory } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { readableFile } from '../pipeline/scan.js';
import type { SlavePaths } from '../standby/paths.js';
import { lastTerm, type RoleFacts, type TermLine } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';

/**
 * Makes this side a slave. The caller holds the lock. `unused`: nothing was committed in its last term.
 *
 * Write order: first remove the `.dat`, durably, because it is out of date since a server wrote to the file; then
 * publish the role. If the process is killed in between, the role is unchanged and the next call completes it. The next
 * sync compares all of the file with the master. The terms stay: the position where a term began is never forgotten.
 */
export function demote(paths: SlavePaths, facts: RoleFacts, unused: boolean): void {
  removeIfThere(paths.dat);
  removeIfThere(paths.freshDat);
  syncDirectory(paths.directory);
  const last = lastTerm(facts);
  const terms = facts.terms.map((line) => (unused && line.term === last ? { ...line, unused } : line));
  const { promotion: _, ...stays } = facts;
  publishRole(paths, { ...stays, role: 'slave', terms });
}

/**
 * Whether nothing was committed to the file since this term began: it ends at the same place, with the same
 * transaction.
 */
export async function isUnused(path: string, { position, tid }: TermLine): Promise<boolean> {
  const file = OpenFile.openHereIfThere(path);
  if (!file) return false;
  try {
    const readable = readableFile(file);
    if (readable.size !== position) return false;
    if (position === MAGIC_LENGTH) return tid === ZERO_TID;
    return (await new BackwardReader(readable).endingAt(position))?.tid === tid;
  } finally {
    file.closeQuietly();
  }
}
