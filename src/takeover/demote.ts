import { removeIfThere, syncDirectory } from '../io/directory.js';
import type { SlavePaths } from '../standby/paths.js';
import { lastTerm, type RoleFacts } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';

/**
 * Makes a slave of this side. The caller holds the lock. `unused`: nothing was committed in its last term.
 *
 * Order: the `.dat` is removed, durably, because what it says of the file is out of date since a server has written to it;
 * then the role. Killed in between this side still is what it was, and the next call goes on. The next sync compares all of
 * it with the master. The terms stay: where one began, and that there was one, is never forgotten.
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
