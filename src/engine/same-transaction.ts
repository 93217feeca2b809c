import { STATUS_PACKED, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import type { ByteSource, FoundTransaction } from './backward.js';
import { type FoundRecord, recordsOf, recordsStart } from './records.js';
import { firstDifference } from './scan.js';

const PIECE = 65_536;

/**
 * Whether two transactions with the same tid are one and the same. Their tids alone do not tell: a ZODB whose clock is
 * behind takes the last tid plus one, and so do both sides of a parting.
 *
 * A pack moves transactions (positions in them change) and drops records that are not current; what is left keeps its
 * metadata, its oids' order and its data. So user, description and extension have to be equal, and every record of the
 * master's has to be one of the slave's; all of them where the master's transaction was not packed.
 */
export async function sameTransaction(
  slave: ByteSource,
  ours: FoundTransaction,
  master: ByteSource,
  theirs: FoundTransaction,
): Promise<boolean> {
  if (ours.tid !== theirs.tid) return false;
  const [from, to] = [ours, theirs].map((found) => recordsStart(found) - found.position - TRANSACTION_HEADER_LENGTH);
  if (from !== to || ours.userLength !== theirs.userLength || ours.descriptionLength !== theirs.descriptionLength)
    return false;
  const metadata = TRANSACTION_HEADER_LENGTH;
  if (!(await sameBytes(slave, ours.position + metadata, master, theirs.position + metadata, from ?? 0))) return false;
  const mayLack = theirs.status === STATUS_PACKED;
  const here = recordsOf(slave, ours);
  for await (const record of recordsOf(master, theirs)) {
    let mine = await here.next();
    // By content, not by oid: a transaction may hold several records of one object, and a pack keeps one of them.
    while (mayLack && !mine.done && !(await sameRecord(slave, mine.value, master, record))) mine = await here.next();
    if (mine.done || !(mayLack || (await sameRecord(slave, mine.value, master, record)))) return false;
  }
  return mayLack || (await here.next()).done === true;
}

async function sameRecord(
  slave: ByteSource,
  ours: FoundRecord,
  master: ByteSource,
  theirs: FoundRecord,
): Promise<boolean> {
  if (ours.oid !== theirs.oid) return false;
  // A pack may put the data in the place of a pointer to it, and pointers move: there is nothing to compare then.
  if (ours.dataLength === 0 || theirs.dataLength === 0) return true;
  if (ours.dataLength !== theirs.dataLength) return false;
  return sameBytes(slave, ours.dataPosition, master, theirs.dataPosition, ours.dataLength);
}

async function sameBytes(a: ByteSource, aFrom: number, b: ByteSource, bFrom: number, length: number): Promise<boolean> {
  const ours = new Uint8Array(Math.min(PIECE, length));
  const theirs = new Uint8Array(ours.length);
  for (let done = 0; done < length; done += PIECE) {
    const count = Math.min(PIECE, length - done);
    const got = await a.readBytes(ours.subarray(0, count), aFrom + done);
    const other = await b.readBytes(theirs.subarray(0, count), bFrom + done);
    if (got < count || other < count) return false;
    if (firstDifference(ours.subarray(0, count), theirs.subarray(0, count)) !== undefined) return false;
  }
  return true;
}
