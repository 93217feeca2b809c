import { readMasterDat, readMasterRole } from '../pipeline/files-of-master.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { forShell } from '../report/quote.js';
import type { Dat } from '../standby/dat.js';
import { type RoleFacts, seenTerm } from '../standby/role.js';
import { RejoinRefusal } from './refusal.js';

/** What the side that serves says of itself, by the files beside its data. */
export interface Serving {
  /** undefined: no role file, as beside a plain server that syncpozo never promoted. */
  readonly role: RoleFacts | undefined;
  /** From its time as a slave; not checked against its data. */
  readonly dat: Dat | undefined;
}

const FOR_A_PERSON: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ELOOP']);

/** Throws a RejoinRefusal where the role file cannot be used: it says who may serve. */
export async function readServing(master: Master, deadline: ReadDeadline): Promise<Serving> {
  const role = await readMasterRole(master.path, deadline);
  // A file that cannot be opened or read now may be the next time; only one whose rights or contents are wrong is for a person.
  if (role && 'fault' in role && role.fault && !FOR_A_PERSON.has(role.fault.code)) throw role.fault;
  if (role && 'problem' in role) {
    throw new RejoinRefusal(
      `${master.path}.role cannot be used: ${role.problem}`,
      'it says who may serve, and is not guessed at: restore it on the side that serves',
    );
  }
  return { role: role?.facts, dat: await readMasterDat(master.path, deadline) };
}

/** Throws a RejoinRefusal unless MASTER serves, in a term that SLAVE has not surpassed. `own`: the role of SLAVE. */
export function refuseUnlessServing(
  { role }: Serving,
  own: RoleFacts,
  paths: { readonly master: string; readonly slave: string },
): void {
  const { master, slave } = paths;
  const swapped = `name the side that serves first; 'syncpozo compare ${forShell(master)} ${forShell(slave)}' shows both histories`;
  if (role && role.role !== 'master') {
    const why = {
      slave: 'it is a slave, and was not promoted',
      rejoining: 'a rejoin has begun there and has not ended',
      superseded: 'another side has been promoted since it served',
    }[role.role];
    throw new RejoinRefusal(
      `${master} does not serve: ${why} (${master}.role)`,
      `is it the right one? If so, ${swapped}`,
    );
  }
  const [theirs, ours] = [role ? seenTerm(role) : 0, seenTerm(own)];
  if (theirs >= ours) return;
  throw new RejoinRefusal(
    `${slave} has seen term ${ours}, and ${master} serves in term ${theirs}: it was superseded`,
    `are the two swapped? ${swapped}. If ${master} is the one whose state is to be kept: there, with ZEO stopped, 'syncpozo promote --supersede', with this side as --master, begins a term above both`,
  );
}
