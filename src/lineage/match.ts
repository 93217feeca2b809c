import { STATUS_PACKED, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { sameBytes } from './forward-bytes.js';
import { sameData } from './record-data.js';
import type { Transaction, TransactionCursor } from './transaction-cursor.js';

/** Receives the result of comparing two transactions with the same tid, record by record. */
export interface MatchReceiver {
  /** A record of the master in its packed part. */
  kept(oidHigh: number, oidLow: number): void;
  /** A record in that part that only the slave has; `undone`: it only undoes the object's creation. */
  drop(oidHigh: number, oidLow: number, undone: boolean): void;
  /** A record of the same object with other bytes. */
  differs(difference: Difference): void;
  /** Another user, description or extension, or other objects: a different transaction, or a damaged one. */
  shape(): void;
}

/** Data of the same record that differ between the two sides. */
export interface Difference {
  /** Position of the slave's data, and of the master's. The lengths are equal, unless `apart`. */
  readonly slaveAt: number;
  readonly masterAt: number;
  readonly length: number;
  /** One cannot replace the other: other lengths, a pointer on one side, or another tid in the record. */
  readonly apart: boolean;
}

/** Differing records per comparison for which a second record of the same object is searched. */
const SEARCHES = 100;

/**
 * Compares the transactions with one tid that the cursors have just reached. A pack may have processed one of them, or
 * both at different times. A packed transaction may lack records, but each record that it has must be one of the
 * other's. Unpacked transactions must have the same records.
 *
 * @param inPack the master's transaction is in the packed part of its file
 */
export async function matchTransactions(
  master: TransactionCursor,
  theirs: Transaction,
  slave: TransactionCursor,
  ours: Transaction,
  inPack: boolean,
  to: MatchReceiver,
): Promise<void> {
  const sameText = sameTexts(master, theirs, slave, ours);
  let shapeDiffers = !(sameText === true || (sameText !== false && (await sameText)));
  const isMasterLonger = await mayLackOnSlave(master, theirs, slave, ours);
  const maySkip = theirs.status === STATUS_PACKED || ours.status === STATUS_PACKED;
  const [shorter, ofShorter] = isMasterLonger ? [slave, ours] : [master, theirs];
  const [longer, ofLonger] = isMasterLonger ? [master, theirs] : [slave, ours];
  let searches = 0;
  while (!shapeDiffers) {
    const has = shorter.nextRecord(ofShorter);
    if (!(has === true || (has !== false && (await has)))) break;
    if (inPack && !isMasterLonger) to.kept(master.oidHigh, master.oidLow);
    for (;;) {
      const hasOther = longer.nextRecord(ofLonger);
      if (!(hasOther === true || (hasOther !== false && (await hasOther)))) {
        shapeDiffers = true;
        break;
      }
      if (inPack && isMasterLonger) to.kept(master.oidHigh, master.oidLow);
      if (longer.oidHigh === shorter.oidHigh && longer.oidLow === shorter.oidLow) {
        const same = sameRecord(master, slave);
        if (same === true || (same !== false && (await same))) break;
        const difference = differenceOf(master, slave);
        const undone = isUndone(slave);
        const after = longer.nextRecordAt;
        // A transaction may hold several records of one object; a pack keeps one of them.
        const isOther = maySkip && searches++ < SEARCHES && (await hasAnother(shorter, longer, ofLonger));
        longer.rewindTo(after);
        if (!isOther) {
          to.differs(difference);
          break;
        }
        if (!isMasterLonger) to.drop(shorter.oidHigh, shorter.oidLow, undone);
      } else if (!maySkip) {
        shapeDiffers = true;
        break;
      } else if (!isMasterLonger) to.drop(slave.oidHigh, slave.oidLow, isUndone(slave));
    }
  }
  while (inPack && (await master.nextRecord(theirs))) to.kept(master.oidHigh, master.oidLow);
  if (shapeDiffers) return to.shape();
  while (await longer.nextRecord(ofLonger)) {
    if (!maySkip) return to.shape();
    if (!isMasterLonger) to.drop(slave.oidHigh, slave.oidLow, isUndone(slave));
  }
}

/** Whether the slave's transaction is the one that may lack records: only it is packed, or the master's has more. */
async function mayLackOnSlave(
  master: TransactionCursor,
  theirs: Transaction,
  slave: TransactionCursor,
  ours: Transaction,
): Promise<boolean> {
  if (ours.status !== STATUS_PACKED) return false;
  if (theirs.status !== STATUS_PACKED) return true;
  const isSubset = await areAmong(master, theirs, slave, ours);
  master.rewindTo(theirs.recordsAt);
  slave.rewindTo(ours.recordsAt);
  return !isSubset;
}

/** Whether the objects of the first transaction's records are, in this order, among those of the second's. */
async function areAmong(
  some: TransactionCursor,
  ofSome: Transaction,
  all: TransactionCursor,
  ofAll: Transaction,
): Promise<boolean> {
  for (;;) {
    const has = some.nextRecord(ofSome);
    if (!(has === true || (has !== false && (await has)))) return true;
    do {
      const hasOther = all.nextRecord(ofAll);
      if (!(hasOther === true || (hasOther !== false && (await hasOther)))) return false;
    } while (all.oidHigh !== some.oidHigh || all.oidLow !== some.oidLow);
  }
}

/** Whether the record only undoes its object's creation. */
export function isUndone({ dataLength, back }: TransactionCursor): boolean {
  return dataLength === 0 && back === 0;
}

function sameRecord(master: TransactionCursor, slave: TransactionCursor): boolean | Promise<boolean> {
  if (master.tidHigh !== slave.tidHigh || master.tidLow !== slave.tidLow) return false;
  return sameData(master, slave);
}

/** Whether a later record of the longer transaction is the one that the other cursor is at. */
async function hasAnother(
  shorter: TransactionCursor,
  longer: TransactionCursor,
  ofLonger: Transaction,
): Promise<boolean> {
  const { oidHigh, oidLow } = shorter;
  while (await longer.nextRecord(ofLonger)) {
    if (longer.oidHigh === oidHigh && longer.oidLow === oidLow && (await sameRecord(longer, shorter))) return true;
  }
  return false;
}

function differenceOf(master: TransactionCursor, slave: TransactionCursor): Difference {
  const sameTid = slave.tidHigh === master.tidHigh && slave.tidLow === master.tidLow;
  const apart = !sameTid || slave.dataLength === 0 || slave.dataLength !== master.dataLength;
  return { slaveAt: slave.dataAt, masterAt: master.dataAt, length: slave.dataLength, apart };
}

/** Whether user, description and extension are equal. Leaves both cursors before the first record. */
function sameTexts(
  master: TransactionCursor,
  theirs: Transaction,
  slave: TransactionCursor,
  ours: Transaction,
): boolean | Promise<boolean> {
  const { userLength, descriptionLength, extensionLength } = ours;
  if (theirs.userLength !== userLength || theirs.descriptionLength !== descriptionLength) return false;
  if (theirs.extensionLength !== extensionLength) return false;
  const length = userLength + descriptionLength + extensionLength;
  if (length === 0) return true;
  const [from, other] = [theirs.position + TRANSACTION_HEADER_LENGTH, ours.position + TRANSACTION_HEADER_LENGTH];
  return sameBytes(master.buffer, from, slave.buffer, other, length);
}
