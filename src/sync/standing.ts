import { readMasterDat, readMasterRole } from '../pipeline/files-of-master.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { SlavePaths } from '../standby/paths.js';
import { type DamageMark, formatRole, PLAIN_SLAVE, type Refusal, type RoleFacts, seenTerm } from '../standby/role.js';
import { publishRole, readRoleFile } from '../standby/role-file.js';

/** The two sides according to their role files. */
export interface Standing {
  /** The highest term that the master has served in; `slaveTerm`: that this slave has seen; 0: none. */
  readonly masterTerm: number;
  readonly slaveTerm: number;
  /** The recorded refusal that still applies. */
  readonly refusal: Refusal | undefined;
  /** By its own files, MASTER is a slave of SLAVE. */
  readonly swapped: boolean;
  /** What forbids to follow the master: its role, by its own role file. */
  readonly masterRole: 'rejoining' | 'superseded' | undefined;
  /** Why the master's role file cannot be used. */
  readonly problem: string | undefined;
}

export interface Roles {
  readonly standing: Standing;
  /** The master's role file; undefined: none, as on a server that syncpozo never promoted. */
  readonly master: RoleFacts | undefined;
}

/** For a run that does not reach a master. */
export const UNKNOWN_STANDING: Standing = {
  masterTerm: 0,
  slaveTerm: 0,
  refusal: undefined,
  swapped: false,
  masterRole: undefined,
  problem: undefined,
};

/**
 * Reads the master's role file and compares it with the slave's. `isKnown`: SLAVE's own files say that it is a slave.
 */
export async function readRoles(
  paths: SlavePaths,
  master: Master,
  deadline: ReadDeadline,
  isKnown: boolean,
  slaveInode: string | undefined,
): Promise<Roles> {
  const own = ownFacts(paths);
  const parsed = await readMasterRole(master.path, deadline);
  const facts = parsed && 'facts' in parsed ? parsed.facts : undefined;
  const problem = parsed && 'problem' in parsed ? `${master.path}.role cannot be used: ${parsed.problem}` : undefined;
  const unknown = !isKnown && own === undefined && slaveInode !== undefined;
  const isSlave = async () =>
    facts?.role === 'slave' || (facts === undefined && (await isCopyOf(master, slaveInode ?? '', deadline)));
  const swapped = unknown && (await isSlave());
  const standing = {
    masterTerm: facts ? seenTerm(facts) : 0,
    slaveTerm: own ? seenTerm(own) : 0,
    refusal: own?.refusal,
    swapped,
    masterRole: facts?.role === 'rejoining' || facts?.role === 'superseded' ? facts.role : undefined,
    problem,
  };
  return { standing, master: facts };
}

function ownFacts(paths: SlavePaths): RoleFacts | undefined {
  const file = readRoleFile(paths);
  return 'facts' in file ? file.facts : undefined;
}

/** Whether the `.dat` beside the master says that the master is a copy of the file at SLAVE. */
async function isCopyOf(master: Master, slaveInode: string, deadline: ReadDeadline): Promise<boolean> {
  const dat = await readMasterDat(master.path, deadline);
  return dat?.slaveInode === master.facts.inode && dat.master.inode === slaveInode;
}

/** Gives the slave the master's terms, durably. Creates the role file if there is none. */
export function takeTerms(paths: SlavePaths, master: RoleFacts | undefined, forced: boolean): void {
  const file = readRoleFile(paths);
  if ('problem' in file) return;
  const own = 'facts' in file ? file.facts : undefined;
  const terms = master?.terms ?? [];
  const keeps = own !== undefined && !forced && seenTerm(own) > seenTerm({ terms });
  if (own && (keeps || sameTerms(own.terms, terms)) && own.role === 'slave') return;
  publishRole(paths, { ...(own ?? PLAIN_SLAVE), role: 'slave', terms: keeps ? own.terms : terms });
}

function sameTerms(a: RoleFacts['terms'], b: RoleFacts['terms']): boolean {
  return (
    a.length === b.length &&
    a.every(({ term, position, tid }, n) => b[n]?.term === term && b[n].position === position && b[n].tid === tid)
  );
}

/** The recorded marks of the master; undefined: not recorded. */
export interface Marks {
  readonly refusal: Refusal | undefined;
  readonly damage: DamageMark | undefined;
}

export function marksOf(paths: SlavePaths): Marks {
  const own = ownFacts(paths);
  return { refusal: own?.refusal, damage: own?.damage };
}

/** Records the changed marks durably. Unchanged marks are not written again. */
export function changeMarks(paths: SlavePaths, change: (before: Marks) => Marks): void {
  const file = readRoleFile(paths);
  if ('problem' in file) return;
  const own = 'facts' in file ? file.facts : PLAIN_SLAVE;
  const { refusal: _, damage: __, ...stays } = own;
  const { refusal, damage } = change({ refusal: own.refusal, damage: own.damage });
  const next = { ...stays, ...(refusal && { refusal }), ...(damage && { damage }) };
  if (formatRole(next) !== formatRole(own)) publishRole(paths, next);
}
