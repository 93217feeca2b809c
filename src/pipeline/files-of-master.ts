import type { IoFault } from '../io/fault.js';
import { type Dat, parseDat } from '../standby/dat.js';
import { type ParsedRole, parseRole } from '../standby/role.js';
import type { ReadDeadline } from './read-deadline.js';
import { readSmallTextLater } from './small-file.js';

const LARGEST_ROLE = 1 << 24;
const LARGEST_DAT = 1 << 26;

/**
 * The role file beside the master's file at `path`; undefined: there is none. `fault`: it could not be read, which may be
 * different the next time.
 */
export async function readMasterRole(
  path: string,
  deadline: ReadDeadline,
): Promise<ParsedRole | { readonly problem: string; readonly fault?: IoFault } | undefined> {
  const text = await readSmallTextLater(`${path}.role`, LARGEST_ROLE, deadline);
  return typeof text === 'string' ? parseRole(text) : text;
}

/** The `.dat` beside the master's file at `path`, from its time as a slave; undefined: there is none that can be used. */
export async function readMasterDat(path: string, deadline: ReadDeadline): Promise<Dat | undefined> {
  const text = await readSmallTextLater(`${path}.dat`, LARGEST_DAT, deadline);
  const parsed = typeof text === 'string' ? parseDat(text) : undefined;
  return parsed && 'dat' in parsed ? parsed.dat : undefined;
}
