import { IoFault } from '../io/fault.js';
import { durableReplace, readSmallText } from '../io/replace.js';
import type { SlavePaths } from './paths.js';
import { formatRole, parseRole, type RoleFacts } from './role.js';

/** A term takes some 100 bytes, and at most 700: room for 20,000 promotions at least. */
const LARGEST = 1 << 24;

export type RoleFile = { readonly facts: RoleFacts } | { readonly missing: true } | { readonly problem: string };

/**
 * Reads `Data.fs.role`. Whatever stands at the path and cannot be read or parsed is a problem in words, never a missing
 * file: who may not know the role must not write.
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

/** Publishes the role: after the return it is what a crash leaves. The caller holds the slave's lock. */
export function publishRole(paths: SlavePaths, facts: RoleFacts): void {
  const text = formatRole(facts);
  const parsed = parseRole(text);
  // What could not be read again would keep everybody from this slave.
  if ('problem' in parsed) throw new Error(`these facts make no role file: ${parsed.problem}`);
  const { uid, gid } = paths.directoryFacts;
  durableReplace(paths.role, text, { mode: 0o644, uid, gid });
}
