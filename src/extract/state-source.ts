import { basename, dirname, join } from 'node:path';
import { MAGIC_LENGTH, STATUS_PACKED } from '../filestorage/layout.js';
import { listDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import { keptPacked } from '../standby/kept-packed.js';
import { slavePaths } from '../standby/paths.js';
import type { Moment } from './moment.js';
import { isPlace, type Place, StateFile } from './state-file.js';

/** Which file has the state of a moment. The caller closes the file. */
export type StateSource =
  | { readonly kind: 'found'; readonly file: StateFile; readonly place: Place; readonly packed: Packed | undefined }
  /** FILE begins later, or has no transaction. */
  | { readonly kind: 'before-first'; readonly first: bigint | undefined }
  /** A pack has left the state out, and no file beside FILE has it. */
  | { readonly kind: 'packed-away'; readonly packed: Packed; readonly tried: readonly Tried[] }
  | { readonly kind: 'damaged'; readonly path: string; readonly damage: Damage | Rot }
  | { readonly kind: 'unfit'; readonly reason: string };

/** The newest transaction that a pack of FILE has rewritten. FILE has the states from there on. */
export interface Packed {
  readonly tid: bigint;
}

/** A file beside FILE that does not have the state, and why. */
export interface Tried {
  readonly path: string;
  readonly reason: string;
  /** It has the moment, and only nothing shows that it is an earlier state of FILE. */
  readonly isUnproven?: boolean;
}

/**
 * Finds the file that has the state of a moment: FILE, or, if a pack has left the state out of it, a file that a pack or a
 * rebuild has replaced and that is still beside it.
 */
export async function findSource(
  path: string,
  moment: Moment,
  window: Window,
  deadline: ReadDeadline,
  proved: boolean,
): Promise<StateSource> {
  const file = await StateFile.open(path, window, deadline);
  if (typeof file === 'string') return { kind: 'unfit', reason: file };
  let keepsOpen = false;
  try {
    const place = await file.placeOf(moment.tid, proved);
    if (!isPlace(place)) return { kind: 'damaged', path, damage: place };
    if (place.next?.status === STATUS_PACKED) {
      const last = await file.lastPacked();
      const packed = { tid: last?.tid ?? place.next.tid };
      return await fromKept({ file, place, packed, moment, proved }, window, deadline);
    }
    if (place.position === MAGIC_LENGTH) return { kind: 'before-first', first: place.next?.tid };
    keepsOpen = true;
    return { kind: 'found', file, place, packed: undefined };
  } finally {
    if (!keepsOpen) file.close();
  }
}

const NOTHING_SHOWS = 'nothing shows that it is of the same history';

/** What a kept file has to go with. */
interface Sought {
  readonly file: StateFile;
  readonly place: Place;
  readonly packed: Packed;
  readonly moment: Moment;
  readonly proved: boolean;
}

async function fromKept(sought: Sought, window: Window, deadline: ReadDeadline): Promise<StateSource> {
  const { packed } = sought;
  const tried: Tried[] = [];
  for (const path of keptBeside(sought.file)) {
    const kept = await openKept(path, window, deadline);
    if (typeof kept === 'string') {
      tried.push({ path, reason: kept });
      continue;
    }
    const found = await stateIn(kept, sought);
    if (typeof found !== 'string') return { kind: 'found', file: kept, place: found, packed };
    kept.close();
    tried.push({ path, reason: found, isUnproven: found === NOTHING_SHOWS });
  }
  return { kind: 'packed-away', packed, tried };
}

async function openKept(path: string, window: Window, deadline: ReadDeadline): Promise<StateFile | string> {
  try {
    return await StateFile.open(path, window, deadline);
  } catch (error) {
    if (error instanceof IoFault) return error.message;
    throw error;
  }
}

/**
 * Files beside FILE that may be an earlier state of it: what ZODB's pack has left, then what rebuilds have kept after a
 * pack, newest first, then what they have kept in doubt.
 */
function keptBeside({ path, master }: StateFile): string[] {
  const name = basename(path);
  const tid = /^[0-9a-f]{16}(\.\d+)?$/;
  const names = listDirectory(dirname(path)).sort().reverse();
  const of = (start: string): string[] =>
    names.filter((each) => each.startsWith(start) && tid.test(each.slice(start.length)));
  return [`${name}.old`, ...of(`${name}.packed-`), ...of(`${name}.only-here-`)]
    .map((each) => join(dirname(path), each))
    .filter((each) => {
      const facts = factsOfPath(each);
      return facts?.kind === 'file' && facts.inode !== master.facts.inode;
    });
}

/**
 * The place of the moment in a kept file, if the file truly has the state: it goes on beyond the moment, no pack has left the
 * state out of it, and what can be seen in both files is of one history. Otherwise in words why not.
 */
async function stateIn(
  kept: StateFile,
  { file, place: inFile, packed, moment, proved }: Sought,
): Promise<Place | string> {
  const place = await kept.placeOf(moment.tid, proved);
  if (!isPlace(place)) return `it is damaged at position ${place.position}: ${place.message}`;
  if (place.next?.status === STATUS_PACKED) return 'a pack has left that moment out of it as well';
  if (place.position === MAGIC_LENGTH) return 'it begins after that moment';
  if (!place.next && place.last?.tid !== moment.tid) return 'it ends before that moment';
  const newest = await kept.lastTransaction();
  const { last, next } = inFile;
  const isOther =
    (last && !(await kept.has(last.tid))) ||
    (next && newest && next.tid <= newest.tid && !(await kept.has(next.tid))) ||
    (newest && newest.tid > packed.tid && !(await file.has(newest.tid)));
  if (isOther) return 'it has another history';
  const shares = last !== undefined || (next && newest && next.tid <= newest.tid);
  if (!shares && !isListed(kept.path, file.path)) return NOTHING_SHOWS;
  return place;
}

/** Whether a rebuild of this program has kept it there. */
function isListed(path: string, data: string): boolean {
  return keptPacked(slavePaths(data, undefined)).some((each) => each.path === path);
}
