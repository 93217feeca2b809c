import { TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { sameBytes } from './forward-bytes.js';
import { sameData } from './record-data.js';
import type { Transaction, TransactionCursor } from './transaction-cursor.js';

/** What one transaction with the same tid on both sides turns out to be, record by record. */
export interface MatchReceiver {
  /** A record of the master's, in the part that a pack has taken in. */
  kept(oidHigh: number, oidLow: number): void;
  /** A record that only the slave has, in that part; `undone`: it only undoes the object's creation. */
  drop(oidHigh: number, oidLow: number, undone: boolean): void;
  /** The same object's record with other bytes. */
  differs(difference: Difference): void;
  /** Another user, description or extension, or other objects: not the same transaction, or one that has changed its shape. */
  shape(): void;
}

/** Data of the same record that are not the same on both sides. */
export interface Difference {
  /** Position of the slave's data, and of the master's; lengths are equal, unless `apart`. */
  readonly slaveAt: number;
  readonly masterAt: number;
  readonly length: number;
  /** They cannot be put in each other's place: other lengths, a pointer on one of the sides, or another tid in the record. */
  readonly apart: boolean;
}

/** How many differing records of one comparison are searched for a second record of the same object. */
const SEARCHES = 100;

/**
 * Compares the transactions with one tid that the cursors have just come to.
 *
 * @param packed a pack has taken the master's in: it may lack records, and each that it has must be one of the slave's. Otherwise
 *   both must have the same ones.
 */
export async function matchTransactions(
  master: TransactionCursor,
  theirs: Transaction,
  slave: TransactionCursor,
  ours: Transaction,
  packed: boolean,
  to: MatchReceiver,
): Promise<void> {
  let shapeDiffers = !(await sameTexts(master, theirs, slave, ours));
  let searches = 0;
  for (;;) {
    const has = master.nextRecord(theirs);
    if (!(has === true || (has !== false && (await has)))) break;
    const { oidHigh, oidLow } = master;
    if (packed) to.kept(oidHigh, oidLow);
    if (shapeDiffers) continue;
    for (;;) {
      const hasOurs = slave.nextRecord(ours);
      if (!(hasOurs === true || (hasOurs !== false && (await hasOurs)))) {
        shapeDiffers = true;
        break;
      }
      if (slave.oidHigh === oidHigh && slave.oidLow === oidLow) {
        const same = sameRecord(master, slave);
        if (same === true || (same !== false && (await same))) break;
        const difference = differenceOf(master, slave);
        const after = slave.nextRecordAt;
        // A transaction may hold several records of one object, of which a pack keeps one.
        if (packed && searches++ < SEARCHES && (await hasAnother(master, slave, ours))) {
          slave.rewindTo(after);
          to.drop(oidHigh, oidLow, false);
          continue;
        }
        slave.rewindTo(after);
        to.differs(difference);
        break;
      }
      if (!packed) {
        shapeDiffers = true;
        break;
      }
      to.drop(slave.oidHigh, slave.oidLow, isUndone(slave));
    }
  }
  if (shapeDiffers) return to.shape();
  while (await slave.nextRecord(ours)) {
    if (!packed) return to.shape();
    to.drop(slave.oidHigh, slave.oidLow, isUndone(slave));
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

/** Whether a later record of the slave's transaction is the one that the master's cursor is at. */
async function hasAnother(master: TransactionCursor, slave: TransactionCursor, ours: Transaction): Promise<boolean> {
  const { oidHigh, oidLow } = master;
  while (await slave.nextRecord(ours)) {
    if (slave.oidHigh === oidHigh && slave.oidLow === oidLow && (await sameRecord(master, slave))) return true;
  }
  return false;
}

function differenceOf(master: TransactionCursor, slave: TransactionCursor): Difference {
  const sameTid = slave.tidHigh === master.tidHigh && slave.tidLow === master.tidLow;
  const apart = !sameTid || slave.dataLength === 0 || slave.dataLength !== master.dataLength;
  return { slaveAt: slave.dataAt, masterAt: master.dataAt, length: slave.dataLength, apart };
}

/** Whether user, description and extension are the same. Leaves both cursors before the first record. */
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
