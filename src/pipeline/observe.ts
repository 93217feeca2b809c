import { dirname } from 'node:path';
import {
  MAGIC_LENGTH,
  type Magic,
  magicOf,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import { factsBehindPath, factsOfPath } from '../io/facts.js';
import type { Dat } from '../standby/dat.js';
import type { DatFile } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { Master } from './master.js';
import { pause, type ReadDeadline } from './read-deadline.js';

export type MasterState =
  | { readonly state: 'readable' }
  /** Not there for about a second of repeated checks. */
  | { readonly state: 'missing'; readonly reason: string }
  /** There, but not a Data.fs that could be copied. */
  | { readonly state: 'unfit'; readonly reason: string };

export type SlaveState =
  | { readonly state: 'missing' }
  | { readonly state: 'empty' }
  | { readonly state: 'there'; readonly size: number };

export type ObservedMaster =
  | { readonly state: MasterState & { readonly state: 'readable' }; readonly master: Master; readonly magic: Magic }
  | { readonly state: Exclude<MasterState, { state: 'readable' }> };

const CHECKS = 4;
const CHECK_PAUSE_MS = 150;

/** Rows 4 and 5: opens the master and checks that it is a Data.fs. Repeats a check that fails. */
export async function observeMaster(
  path: string,
  deadline: ReadDeadline,
  dat: Dat | undefined,
): Promise<ObservedMaster> {
  for (let probe = 1; ; probe++) {
    const master = await Master.open(path, deadline);
    if (!master) return { state: { state: 'missing', reason: await whyMissing(path, deadline, dat) } };
    const found = await examine(master);
    if ('magic' in found) return { state: { state: 'readable' }, master, magic: found.magic };
    master.close();
    if (probe === CHECKS) return { state: { state: 'unfit', reason: `${path} ${found.problem}` } };
    await pause(CHECK_PAUSE_MS);
  }
}

/** An unmounted network path is an empty local directory, so report a mount that is not the one of the last run. */
async function whyMissing(path: string, deadline: ReadDeadline, dat: Dat | undefined): Promise<string> {
  const directory = dirname(path);
  const facts = await deadline.wait(factsBehindPath(directory), 'stat', directory);
  if (facts === undefined) return `${directory} does not exist`;
  if (dat && facts.device !== dat.master.device) {
    return `${path} does not exist, and its directory is not on the file system of last time: is it mounted?`;
  }
  return `${path} does not exist`;
}

async function examine(master: Master): Promise<{ readonly magic: Magic } | { readonly problem: string }> {
  if (master.facts.kind !== 'file') return { problem: `is a ${master.facts.kind}, not a Data.fs` };
  if (master.size === 0) return { problem: 'is empty' };
  const bytes = new Uint8Array(MAGIC_LENGTH + TRANSACTION_HEADER_LENGTH);
  const length = await master.readBytes(bytes, 0);
  const magic = length < MAGIC_LENGTH ? undefined : magicOf(bytes);
  if (magic === undefined) return { problem: 'is not a Data.fs: it does not begin with FS21 or FS30' };
  if (master.size === MAGIC_LENGTH) return { magic };
  if (length < bytes.length) return { problem: `has ${master.size} bytes, fewer than its first transaction` };
  const first = readTransactionHeader(new DataView(bytes.buffer), MAGIC_LENGTH);
  const end = MAGIC_LENGTH + first.length + TRAILER_LENGTH;
  if (first.status !== STATUS_IN_FLIGHT && end > master.size) {
    return { problem: `has ${master.size} bytes, its first transaction alone ends at ${end}` };
  }
  return { magic };
}

/** What is at the slave's path. Fewer bytes than the magic hold nothing that could be lost. */
export function observeSlave(paths: SlavePaths): { readonly state: SlaveState; readonly inode: string | undefined } {
  const facts = factsOfPath(paths.data);
  if (facts === undefined) return { state: { state: 'missing' }, inode: undefined };
  if (facts.size < MAGIC_LENGTH) return { state: { state: 'empty' }, inode: facts.inode };
  return { state: { state: 'there', size: facts.size }, inode: facts.inode };
}

/** The `.dat`, if it describes the file that is at the slave's path, or why it cannot be used. */
export function usableDat(
  file: DatFile,
  slaveInode: string | undefined,
): { dat: Dat | undefined; problem: string | undefined } {
  if ('missing' in file) return { dat: undefined, problem: 'the .dat is missing' };
  if ('problem' in file) return { dat: undefined, problem: file.problem };
  if (file.dat.slaveInode !== slaveInode)
    return { dat: undefined, problem: 'the .dat describes another file than the one that is there' };
  return { dat: file.dat, problem: undefined };
}
