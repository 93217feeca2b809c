import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import type { Resume } from '../pipeline/resume.js';
import { claimOf } from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { MasterIdentity } from '../standby/dat.js';
import { publishDat } from '../standby/dat-file.js';
import { readCovered } from '../standby/index-file.js';
import type { SlavePaths } from '../standby/paths.js';
import type { RejoinMark, RoleFacts } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';
import { keepCutBytes } from '../takeover/cut-bytes.js';

export interface Rewind {
  readonly fork: Resume;
  /** Behind the last transaction that was kept: what follows is in flight, or broken. */
  readonly end: number;
  readonly master: MasterIdentity;
  readonly blobs: BlobsClaim | undefined;
  /** The role as it is, with the rejoin that has begun. */
  readonly role: RoleFacts;
  readonly mark: RejoinMark;
}

/**
 * Makes the slave's file claim the fork and nothing behind it. What lies behind is durable elsewhere already, except the bytes
 * behind `end`. The caller holds the lock; the role is `rejoining`.
 *
 * Write order: a copy of the bytes behind `end`; the removal of an index that covers more than the fork. Then
 * the `.dat`, with the directory, which claims the fork and knows nothing of an earlier life. Then the role, which says that no byte behind the claim
 * is needed. `cutToClaim` cuts it after that. A run that is killed before the role does all of this again; one that is
 * killed after it goes on from the claim.
 *
 * Returns the path of the copy of the bytes behind `end`.
 */
export function rewind(paths: SlavePaths, request: Rewind): string | undefined {
  const { fork, end, master, blobs, role, mark } = request;
  const kept = keepTail(paths, end);
  dropIndexBeyond(paths, fork.position);
  for (const stale of [paths.freshDat, paths.fresh, paths.scrub]) removeIfThere(stale);
  const inode = factsOfPath(paths.data)?.inode ?? '';
  publishDat(paths, claimOf(fork, master, inode, { blobs }));
  publishRole(paths, { ...role, role: 'rejoining', rejoin: { ...mark, phase: 'rewound' } });
  return kept;
}

/** Cuts the slave's file back to its claim, durably. */
export function cutToClaim(paths: SlavePaths, position: number): void {
  const file = OpenFile.openToWrite(paths.data);
  try {
    if (file.facts().size > position) file.truncate(position);
    file.sync();
  } finally {
    file.close();
  }
}

function keepTail(paths: SlavePaths, end: number): string | undefined {
  const file = OpenFile.openToWrite(paths.data);
  try {
    return file.facts().size > end ? keepCutBytes(file, end, paths) : undefined;
  } finally {
    file.close();
  }
}

/** FileStorage's own check is too weak to reject an index of bytes that were cut off. */
function dropIndexBeyond(paths: SlavePaths, position: number): void {
  const covered = readCovered(paths.index);
  if ('missing' in covered || ('end' in covered && covered.end <= position)) return;
  if (factsOfPath(paths.index)?.kind !== 'directory') removeIfThere(paths.index);
}
