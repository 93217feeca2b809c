import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import { TRAILER_LENGTH } from '../filestorage/layout.js';
import { bornBehindPath, changedBehindPath, factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Master } from './master.js';
import type { Patience } from './patience.js';
import { recordsStart } from './records.js';
import type { Readable } from './scan.js';

/** A master that may have been packed, and its slave, with the positions behind the last transactions that a server would show. */
export interface PackedPair {
  readonly master: Readable;
  readonly masterEnd: number;
  readonly slave: Readable;
  readonly slaveEnd: number;
  readonly patience: Patience;
}

/** So many bytes at the head of the slave, and before its end, have to be those of the packed file. */
const COMPARED = 65_536;

/**
 * Whether the file that the master's pack has replaced is still there, `Data.fs.old`, and begins with all that the slave holds.
 * Then the pack was one of a continuation of the slave, and whatever it has left out was the site's own decision.
 *
 * ZODB (FileStorage.pack) removes an older Data.fs.old when a pack begins, renames the Data.fs to it when the packed file is
 * complete, and the packed file into its place. Every record names the position of its transaction, so bytes of another
 * history do not stand in the same place. The newest transaction of the packed file has to be on the master. A file that was
 * put at the path later, by fsrecover for one, came into being after that rename: seen where the file system keeps the time
 * of birth.
 */
export async function isPackedFileKnown(pair: PackedPair): Promise<boolean> {
  try {
    return await isPackOfSlave(pair);
  } catch (error) {
    // A packed file that cannot be read proves nothing; a mount that hangs, and the other two files, end the run.
    if (error instanceof IoFault && error.path === packedPath(pair) && error.code !== 'ETIMEDOUT') return false;
    throw error;
  }
}

function packedPath({ master }: PackedPair): string {
  return `${master.path}.old`;
}

async function isPackOfSlave(pair: PackedPair): Promise<boolean> {
  const { master, masterEnd, slave, slaveEnd, patience } = pair;
  const path = packedPath(pair);
  const facts = await patience.wait(factsBehindPath(path), 'stat', path);
  if (facts?.kind !== 'file' || facts.size < slaveEnd) return false;
  const born = await patience.wait(bornBehindPath(master.path), 'stat', master.path);
  const replaced = await patience.wait(changedBehindPath(path), 'stat', path);
  if (born !== undefined && replaced !== undefined && born > replaced) return false;
  const old = await Master.open(path, patience);
  if (!old) return false;
  try {
    const tailFrom = Math.max(0, slaveEnd - COMPARED);
    const begins = await same(old, slave, 0, Math.min(COMPARED, slaveEnd));
    return begins && (await same(old, slave, tailFrom, slaveEnd)) && (await isNewestOn(master, masterEnd, old));
  } finally {
    old.close();
  }
}

/**
 * Whether the newest transaction of the packed file is on the master: it holds the newest records of its objects, so a pack
 * keeps it. A master that has lost its end since the pack, in a power cut, lacks it.
 */
async function isNewestOn(master: Readable, masterEnd: number, old: Master): Promise<boolean> {
  let newest: FoundTransaction | undefined;
  for await (const found of new BackwardReader(old).from(old.size)) {
    newest = found;
    // One without records is dropped by a pack.
    if (recordsStart(found) + TRAILER_LENGTH < found.end) break;
  }
  if (!newest) return false;
  for await (const { tid } of new BackwardReader(master).from(masterEnd)) {
    if (tid <= newest.tid) return tid === newest.tid;
  }
  return false;
}

async function same(old: Master, slave: Readable, from: number, to: number): Promise<boolean> {
  const theirs = new Uint8Array(to - from);
  const ours = new Uint8Array(to - from);
  const counts = [await old.readBytes(theirs, from), await slave.readBytes(ours, from)];
  return counts.every((count) => count === to - from) && Buffer.compare(theirs, ours) === 0;
}
