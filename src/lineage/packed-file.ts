import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import {
  MAGIC_LENGTH,
  readTransactionHeader,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { bornBehindPath, changedBehindPath, factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { recordsStart } from '../pipeline/records.js';
import { firstDifference, type Readable } from '../pipeline/scan.js';
import type { Mismatch } from './findings.js';

/**
 * A master that may have been packed, and its slave; the ends are the positions behind the last transaction that a
 * server would show.
 */
export interface PackedPair {
  readonly master: Readable;
  readonly masterEnd: number;
  readonly slave: Readable;
  readonly slaveEnd: number;
  readonly deadline: ReadDeadline;
}

/** Bytes at the head of the slave, and before its end, that the packed file must share. */
const COMPARED = 65_536;

/** What the file that the master's pack replaced shows. */
export interface PackedFile {
  /** It exists and begins with what the slave holds. */
  readonly isKnown: boolean;
  /** It does, except for this transaction. */
  readonly differs?: Mismatch | undefined;
}

/**
 * Whether the file that the master's pack replaced still exists as `Data.fs.old` and begins with all that the slave
 * holds. Then the pack was one of a continuation of the slave, and everything that it left out was the site's own
 * decision.
 *
 * ZODB (FileStorage.pack) removes an older Data.fs.old when a pack begins. When the packed file is complete, it renames
 * the Data.fs to Data.fs.old and the packed file to Data.fs. Every record names the position of its transaction, so
 * bytes of another history are never equal at the same place. The newest transaction of Data.fs.old must be on the
 * master. A Data.fs that was put there later, by fsrecover for one, was created after that rename; this is visible
 * where the file system keeps the time of creation. An object that the pack left out altogether may be missing because
 * its record was rotten in Data.fs.old, so its newest record must be there as it was copied.
 *
 * @param goneAt the slave's transactions with those records; undefined: all of the slave is compared
 */
export async function checkPackedFile(pair: PackedPair, goneAt: readonly number[] | undefined): Promise<PackedFile> {
  try {
    return await check(pair, goneAt);
  } catch (error) {
    // An unreadable packed file proves nothing. A mount that hangs, or a fault of the other two files, ends the run.
    if (error instanceof IoFault && error.path === packedPath(pair) && error.code !== 'ETIMEDOUT') return UNKNOWN;
    throw error;
  }
}

/** The file does not exist, or shows nothing. */
export const UNKNOWN: PackedFile = { isKnown: false };

function packedPath({ master }: PackedPair): string {
  return `${master.path}.old`;
}

async function check(pair: PackedPair, goneAt: readonly number[] | undefined): Promise<PackedFile> {
  const { master, masterEnd, slave, slaveEnd, deadline } = pair;
  const path = packedPath(pair);
  const facts = await deadline.wait(factsBehindPath(path), 'stat', path);
  if (facts?.kind !== 'file' || facts.size < slaveEnd) return UNKNOWN;
  const born = await deadline.wait(bornBehindPath(master.path), 'stat', master.path);
  const replaced = await deadline.wait(changedBehindPath(path), 'stat', path);
  if (born !== undefined && replaced !== undefined && born > replaced) return UNKNOWN;
  const old = await Master.open(path, deadline);
  if (!old) return UNKNOWN;
  try {
    const tailFrom = Math.max(0, slaveEnd - COMPARED);
    const begins = await same(old, slave, 0, Math.min(COMPARED, slaveEnd));
    const isOfSlave =
      begins && (await same(old, slave, tailFrom, slaveEnd)) && (await isNewestOn(master, masterEnd, old));
    if (!isOfSlave) return UNKNOWN;
    const differs = await firstThatDiffers(old, slave, slaveEnd, goneAt);
    return differs ? { isKnown: false, differs } : { isKnown: true };
  } finally {
    old.close();
  }
}

/**
 * Whether the newest transaction of the packed file is on the master. It holds the newest records of its objects, so a
 * pack keeps it. A master that lost its end since the pack, in a power cut, lacks it.
 */
async function isNewestOn(master: Readable, masterEnd: number, old: Master): Promise<boolean> {
  let newest: FoundTransaction | undefined;
  for await (const found of new BackwardReader(old).from(old.size)) {
    newest = found;
    // A pack drops transactions without records.
    if (recordsStart(found) + TRAILER_LENGTH < found.end) break;
  }
  if (!newest) return false;
  for await (const { tid } of new BackwardReader(master).from(masterEnd)) {
    if (tid <= newest.tid) return tid === newest.tid;
  }
  return false;
}

/** In bytes: reads of the packed file bridge gaps up to this length between two transactions. */
const PIECE = 1 << 20;

interface Range {
  readonly from: number;
  to: number;
  /** The transactions in it. */
  readonly transactions: { readonly tid: bigint; readonly from: number; readonly to: number }[];
}

/**
 * The first place where the packed file differs from these transactions of the slave, or from the bytes between them.
 */
async function firstThatDiffers(
  old: Master,
  slave: Readable,
  slaveEnd: number,
  goneAt: readonly number[] | undefined,
): Promise<Mismatch | undefined> {
  const [mine, other] = [new Uint8Array(PIECE), new Uint8Array(PIECE)];
  for await (const { from, to, transactions } of rangesOf(slave, slaveEnd, goneAt)) {
    for (let at = from; at < to; at += PIECE) {
      const length = Math.min(PIECE, to - at);
      const [ours, theirs] = [mine.subarray(0, length), other.subarray(0, length)];
      const counts = [await slave.readBytes(ours, at), await old.readBytes(theirs, at)];
      const differs = firstDifference(ours, theirs);
      if (differs === undefined && counts.every((count) => count === length)) continue;
      const place = at + (differs ?? Math.min(...counts));
      const { from: transaction, tid } = transactions.find((each) => each.from <= place && place < each.to) ?? {
        from: place,
        tid: ZERO_TID,
      };
      return {
        tid,
        transaction,
        masterTransaction: transaction,
        slaveAt: place,
        masterAt: place,
        length: 1,
        apart: true,
      };
    }
  }
  return undefined;
}

/** The transactions at these positions, merged with the bytes between near ones; undefined: all. */
async function* rangesOf(
  slave: Readable,
  slaveEnd: number,
  positions: readonly number[] | undefined,
): AsyncGenerator<Range> {
  if (positions === undefined) return yield { from: MAGIC_LENGTH, to: slaveEnd, transactions: [] };
  const head = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  const view = new DataView(head.buffer);
  let range: Range | undefined;
  for (const from of positions) {
    await slave.readBytes(head, from);
    const { tid, length } = readTransactionHeader(view, 0);
    const to = Math.min(from + length + TRAILER_LENGTH, slaveEnd);
    if (!range || from - range.to > PIECE) {
      if (range) yield range;
      range = { from, to, transactions: [] };
    }
    range.to = to;
    range.transactions.push({ tid, from, to });
  }
  if (range) yield range;
}

async function same(old: Master, slave: Readable, from: number, to: number): Promise<boolean> {
  const theirs = new Uint8Array(to - from);
  const ours = new Uint8Array(to - from);
  const counts = [await old.readBytes(theirs, from), await slave.readBytes(ours, from)];
  return counts.every((count) => count === to - from) && Buffer.compare(theirs, ours) === 0;
}
