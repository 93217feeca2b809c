import { IoFault } from '../io/fault.js';
import { durableReplace, readSmallText } from '../io/replace.js';
import type { SlavePaths } from './paths.js';
import { formatRole, parseRole, type RoleFacts } from './role.js';

/** A term takes about 100 bytes, 700 at most: enough for at least 20,000 promotions. */
const LARGEST = 1 << 24;

export type RoleFile = { readonly facts: RoleFacts } | { readonly missing: true } | { readonly problem: string };

/**
 * Reads `Data.fs.role`. Anything at the path that cannot be read or parsed yields a problem text, never a missing file:
 * a run that does not know the role must not write.
 */
export function readRoleFile(paths: Pick<SlavePaths, 'role'>): RoleFile {
  let text: string | undefined;
  try {
    text = readSmallText(paths.role, LARGEST);
  } catch (error) {
    if (error instanceof IoFault) return { problem: `${paths.role} cannot be read: ${error.message}` };
    throw error;
  }
  if (text === undefined) return { missing: true };
  const parsed = parseRole(text);
  return 'facts' in parsed ? parsed : { problem: `${paths.role} is not usable: ${parsed.problem}` };
}

/** Whether the role file says that this side serves. */
export function isPromoted(paths: Pick<SlavePaths, 'role'>): boolean {
  const file = readRoleFile(paths);
  return 'facts' in file && file.facts.role === 'master';
}

/**
 * Publishes the role durably: after the return it survives a crash. The caller holds the slave's lock, or gives a temporary
 * name of its own.
 */
export function publishRole(paths: SlavePaths, facts: RoleFacts, temporary?: string): void {
  const text = formatRole(facts);
  const parsed = parseRole(text);
  // An unreadable role file would block every command on this slave.
  if ('problem' in parsed) throw new Error(`these facts make no role file: ${parsed.problem}`);
  const { uid, gid } = paths.directoryFacts;
  durableReplace(paths.role, text, { mode: 0o644, uid, gid }, temporary);
}
