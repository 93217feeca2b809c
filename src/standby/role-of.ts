import { hostname } from 'node:os';
import { factsOfPath, writtenAt } from '../io/facts.js';
import type { Dat, OldRole } from './dat.js';
import { type DatFile, publishDat, readDatFile } from './dat-file.js';
import type { SlavePaths } from './paths.js';
import { lastTerm, PLAIN_SLAVE, type RoleFacts } from './role.js';
import { publishRole, readRoleFile } from './role-file.js';

/**
 * The role of this side, by the one rule that every command follows: the role file, if it exists, unless the previous
 * version has promoted the slave since; otherwise the role in a `.dat` of that version; otherwise a slave of term 0.
 *
 * Invariant: a promoted slave stays promoted, whatever happens to its `.dat`. A role in a `.dat` is made durable in the
 * role file before that `.dat` is rewritten.
 */
export type KnownRole =
  | { readonly facts: RoleFacts; readonly from: 'role file' | '.dat' | 'nothing' }
  /** The role is unknown; `path` is the file that is the reason. */
  | { readonly problem: string; readonly path: string };

/** `file`: the `.dat`, if already read. */
export function roleOf(paths: Pick<SlavePaths, 'role' | 'dat'>, file?: DatFile): KnownRole {
  const found = readRoleFile(paths);
  if ('facts' in found) return promotedSince(found.facts, paths, file) ?? { facts: found.facts, from: 'role file' };
  if ('problem' in found) return { problem: found.problem, path: paths.role };
  const known = file ?? readDatFile(paths);
  if ('problem' in known && known.mayBePromoted) {
    return { problem: `${known.problem}, and it may be that of a promoted slave`, path: paths.dat };
  }
  if (!('dat' in known) || known.old?.role !== 'promoted') return { facts: PLAIN_SLAVE, from: 'nothing' };
  return { facts: carried(known.dat, known.old, paths), from: '.dat' };
}

/** The previous version has promoted a slave that this version created: it writes its `.dat`, but no role file. */
function promotedSince(facts: RoleFacts, paths: Pick<SlavePaths, 'dat'>, file?: DatFile): KnownRole | undefined {
  if (facts.role !== 'slave') return undefined;
  const known = file ?? readDatFile(paths);
  if (!('dat' in known) || known.old?.role !== 'promoted') return undefined;
  return { facts: carried(known.dat, known.old, paths, facts.terms), from: '.dat' };
}

/** Whether this side serves, by roleOf; false where the role is unknown. See isPromoted for the role file alone. */
export function isKnownToServe(paths: Pick<SlavePaths, 'role' | 'dat'>): boolean {
  const known = roleOf(paths);
  return 'facts' in known && known.facts.role === 'master';
}

/** The role that a `.dat` of the previous version gave to a promoted slave; it gets a new term. */
function carried(
  { claim }: Dat,
  { promotion }: OldRole,
  paths: Pick<SlavePaths, 'dat'>,
  before: RoleFacts['terms'] = [],
): RoleFacts {
  const facts = factsOfPath(paths.dat);
  const { position, tid } = promotion ?? claim;
  const at = promotion?.at ?? (facts ? writtenAt(facts) : 0);
  const term = {
    term: lastTerm({ terms: before }) + 1,
    position,
    tid,
    at,
    host: hostname(),
    command: 'carried-over',
    unused: false,
  };
  return { role: 'master', terms: [...before, term], ...(promotion && { promotion }) };
}

/**
 * Makes durable what a `.dat` of the previous version states about a promoted slave: first the role file, then the
 * `.dat` in its new format. The caller holds the slave's lock. Returns the current `.dat`.
 */
export function carryOver(paths: SlavePaths, file: DatFile): DatFile {
  if (!('dat' in file) || file.old?.role !== 'promoted') return file;
  const known = roleOf(paths, file);
  if ('problem' in known) return file;
  if (known.from === '.dat') publishRole(paths, known.facts);
  publishDat(paths, file.dat);
  return { dat: file.dat };
}

/** No write is allowed, because of the role or because it is unknown. */
export class RoleRefusal extends Error {
  override readonly name = 'RoleRefusal';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The facts of a role that allows a decision. Throws a RoleRefusal when the role is unknown, or during a rejoin. */
export function clearRole(paths: Pick<SlavePaths, 'role' | 'dat'>, file?: DatFile): RoleFacts {
  const known = roleOf(paths, file);
  if ('problem' in known) {
    const hint = `it is not known whether this side serves, so nothing is written here. Restore ${known.path} from a backup; move it aside only if you know that this side is a slave`;
    throw new RoleRefusal(known.problem, hint);
  }
  if (known.facts.role === 'rejoining') {
    const hint = `run that rejoin again until it ends; move ${paths.role} aside only if you know that this side is a slave and complete`;
    throw new RoleRefusal(`${paths.role} says that a rejoin has begun here and has not ended`, hint);
  }
  return known.facts;
}

/**
 * As clearRole, for a promotion. A `.dat` that may be a promoted slave's is no obstacle: the slave is promoted again. A
 * superseded side is refused: its data is older than what another side has served since. Not so with `supersede`: a person
 * has decided for this side.
 */
export function roleToPromote(paths: Pick<SlavePaths, 'role' | 'dat'>, supersede = false): RoleFacts {
  const known = roleOf(paths);
  if ('problem' in known && known.path === paths.dat) return PLAIN_SLAVE;
  const facts = clearRole(paths);
  if (facts.role !== 'superseded' || supersede) return facts;
  const hint = `sync or rejoin it with the side that serves. If a person decides for this side: 'syncpozo promote --supersede', with the other one as --master; if that one is lost for good, 'syncpozo demote' makes a slave of this one, which can be promoted: ${paths.role}`;
  throw new RoleRefusal(`${paths.role} says that another side has served in a higher term`, hint);
}
