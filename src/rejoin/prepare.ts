import type { BlobSettings } from '../blobs/settings.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { removeIfThere } from '../io/directory.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import type { MasterIdentity } from '../standby/dat.js';
import type { SlavePaths } from '../standby/paths.js';
import type { RejoinMark, RoleFacts } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';
import { keepLost } from './keep-lost.js';
import type { RejoinPlan } from './plan.js';
import { rewind } from './rewind.js';
import { claimBlobs } from './rewind-blobs.js';

export interface PrepareRequest {
  readonly plan: RejoinPlan;
  /** The role of SLAVE. */
  readonly own: RoleFacts;
  readonly master: MasterIdentity;
  readonly masterPath: string;
  readonly paths: SlavePaths;
  /** undefined: blobs are not synced. */
  readonly blobSettings: BlobSettings | undefined;
  readonly window: Window;
  readonly deadline: ReadDeadline;
  readonly say: (text: string) => void;
}

export interface Prepared {
  /** Stem of the files of what was lost; undefined: nothing was. */
  readonly stem: string | undefined;
  /** Where the bytes behind the last transaction are kept; undefined: there were none. */
  readonly tail: string | undefined;
}

/**
 * Keeps what only the slave has, and makes the slave claim the fork. Nothing is cut yet.
 *
 * Write order: the role `rejoining`; the files of what was lost; for --full the removal of the `.dat`, which is out of date since a
 * server wrote to the file; otherwise the rewind.
 */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { plan, own, master, paths, blobSettings, window, deadline, say } = request;
  const blobDirectory = blobSettings?.slave;
  const { fork, here } = plan;
  const { position, tid } = fork?.resume ?? { position: MAGIC_LENGTH, tid: ZERO_TID };
  const since = own.rejoin?.since ?? Date.now();
  const kept = plan.kept === undefined ? {} : { lost: plan.kept };
  const role: RoleFacts = { role: 'rejoining', terms: own.terms };
  let mark: RejoinMark = plan.isRewound && own.rejoin ? own.rejoin : { position, tid, since, phase: 'begun', ...kept };
  if (!plan.isRewound) publishRole(paths, { ...role, rejoin: mark });
  if (here && here.transactions > 0) {
    say('keeping what only SLAVE has...');
    mark = { ...mark, lost: await keepLost({ paths, here, blobs: blobSettings, window, deadline }) };
    if (plan.isRewound || plan.kind === 'full') publishRole(paths, { ...role, rejoin: mark });
  }
  if (plan.isRewound) return { stem: mark.lost, tail: undefined };
  if (plan.kind === 'full') {
    for (const path of [paths.dat, paths.freshDat]) removeIfThere(path);
    return { stem: mark.lost, tail: undefined };
  }
  if (!fork) throw new Error('a rewind without a fork');
  say(`rewinding SLAVE to ${position}...`);
  const blobs =
    blobDirectory === undefined
      ? undefined
      : await claimBlobs({
          paths,
          directory: blobDirectory,
          fork: fork.resume,
          theirs: plan.theirs,
          own: plan.dat,
          master: request.masterPath,
          window,
          deadline,
        });
  const tail = rewind(paths, { fork: fork.resume, end: here?.end ?? position, master, blobs, role, mark });
  return { stem: mark.lost, tail };
}
