import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import { MAGIC_LENGTH, STATUS_IN_FLIGHT } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { IoFault } from '../io/fault.js';
import type { Dat } from '../standby/dat.js';
import { Exchanged } from './copy.js';
import { Master } from './master.js';
import { type ObservedMaster, observeMaster } from './observe.js';
import type { ReadDeadline } from './read-deadline.js';

/** The end of a finished transaction in one particular file. */
export interface MasterPlace {
  readonly device: string;
  readonly inode: string;
  readonly end: number;
  /** 0: there is no transaction before it. */
  readonly tid: bigint;
}

/** What a fresh opening of a master has shown. */
export interface ProbedEnd {
  readonly place: MasterPlace;
  /** A transaction was voted behind the place, or is being written there. */
  readonly isBusy: boolean;
}

/** Opens the master afresh and finds its last finished transaction; undefined if its end does not show it now. */
export async function probeEnd(path: string, deadline: ReadDeadline): Promise<ProbedEnd | undefined> {
  const master = await Master.open(path, deadline);
  if (!master) throw new IoFault('open', path, 'ENOENT', 'master out of reach: nothing is at this path');
  try {
    const { device, inode } = master.facts;
    const found = await lastFinished(master);
    return found && { place: { device, inode, ...found }, isBusy: found.end !== master.size };
  } finally {
    master.close();
  }
}

async function lastFinished(master: Master): Promise<{ readonly end: number; readonly tid: bigint } | undefined> {
  const reader = new BackwardReader(master);
  const last = await reader.endingAt(master.size);
  const end = last?.status === STATUS_IN_FLIGHT ? last.position : master.size;
  return placeAt(end, end === master.size ? last : await reader.endingAt(end));
}

function placeAt(end: number, found: FoundTransaction | undefined) {
  if (end === MAGIC_LENGTH) return { end, tid: ZERO_TID };
  return found && found.status !== STATUS_IN_FLIGHT ? { end, tid: found.tid } : undefined;
}

/** Observes the master as a file that ends at `place`. Throws Exchanged if it is not that file any more. */
export async function observeUpTo(
  place: MasterPlace,
  path: string,
  deadline: ReadDeadline,
  dat: Dat | undefined,
): Promise<ObservedMaster> {
  const observed = await observeMaster(path, deadline, dat);
  if (!('master' in observed)) return observed;
  const { master } = observed;
  const { device, inode } = master.facts;
  const isSame = device === place.device && inode === place.inode && place.end <= master.size;
  const found = isSame ? await new BackwardReader(master).endingAt(place.end) : undefined;
  if (isSame && placeAt(place.end, found)?.tid === place.tid) return { ...observed, master: master.upTo(place.end) };
  master.close();
  throw new Exchanged(path);
}
