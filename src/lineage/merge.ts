import { MAGIC_LENGTH, STATUS_PACKED } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { type MergeFindings, type MergeOptions, type Mismatch, Tally } from './findings.js';
import { type ForwardSource, Short } from './forward-bytes.js';
import { type Difference, isUndone, type MatchReceiver, matchTransactions } from './match.js';
import { agesOf, HARMLESS } from './object-ages.js';
import { SlaveSide } from './slave-side.js';
import { type Transaction, TransactionCursor } from './transaction-cursor.js';

const MOST_KEPT = 1000;
const MOST_POINTED_BACK = 100_000;

/**
 * One pass over both files in the order of their transactions: what the slave holds that the master lacks, and why.
 *
 * What a pack at time P leaves (ZODB, FileStorage/fspack.py): of the transactions up to P the current records of
 * reachable objects, with status 'p' and with data in place of pointers; all later transactions. So up to the master's
 * last 'p' it may lack a record of the slave if it has a newer one of the object, or none at all. Behind it nothing may
 * be missing.
 *
 * Memory: two indexes (of the objects in the packed part, and of those of which it lacks a record), two buffers, and a
 * bounded number of differences.
 */
export async function merge(
  master: ForwardSource,
  slave: ForwardSource,
  options: MergeOptions,
): Promise<MergeFindings> {
  return new Merge(master, slave, options).run();
}

class Merge implements MatchReceiver {
  private readonly master: TransactionCursor;
  private readonly side: SlaveSide;
  private readonly slave: TransactionCursor;
  /** By object: the slave's position of the newest transaction in the master's packed part that has a record of it. */
  private readonly keptAt = new ObjectIndex();
  /** By object: the slave's newest transaction whose record of it is missing in the master's packed part. */
  private readonly droppedAt = new ObjectIndex();
  /** Objects of which a later master record points back into the packed part. */
  private readonly pointedBack = new Set<number>();
  private readonly found = new Tally();
  /** An unpacked transaction of the master was reached. */
  private behindPack = false;
  private packedEnd = MAGIC_LENGTH;
  private ours: Transaction | undefined;
  private theirs: Transaction | undefined;

  constructor(
    master: ForwardSource,
    slave: ForwardSource,
    private readonly options: MergeOptions,
  ) {
    const { masterFrom = MAGIC_LENGTH, slaveFrom = MAGIC_LENGTH, pieces, changed = [] } = options;
    this.master = new TransactionCursor(master, masterFrom);
    this.side = new SlaveSide(slave, slaveFrom, pieces, changed);
    this.slave = this.side.cursor;
  }

  async run(): Promise<MergeFindings> {
    let early = false;
    await this.nextTheirs();
    await this.nextOurs();
    while (!early && (this.ours || this.theirs)) {
      const { ours, theirs } = this;
      if (ours && theirs && (ours.tid === theirs.tid || (await this.haveOneDamagedTid(theirs, ours)))) {
        await this.both(theirs, ours);
        await this.nextTheirs();
        await this.nextOurs();
      } else if (ours && (!theirs || ours.tid < theirs.tid)) {
        await this.onlyOurs(ours);
        await this.nextOurs();
      } else if (theirs) {
        await this.onlyTheirs(theirs);
        await this.nextTheirs();
      }
      early = this.options.stopEarly && (this.found.lacking > 0 || (this.found.foreign > 0 && this.found.dropped > 0));
    }
    return this.findings(early);
  }

  kept(oidHigh: number, oidLow: number): void {
    this.keptAt.set(oidHigh, oidLow, this.ours?.position ?? this.side.source.size + 1);
  }

  /** An oid that only a changed piece of the slave has may be a flipped bit: the piece counts as unread. */
  drop(oidHigh: number, oidLow: number, undone: boolean): void {
    const { ours } = this;
    if (!ours || this.side.isChanged(ours)) return;
    this.dropOf(ours);
    this.droppedAt.set(oidHigh, oidLow, undone ? HARMLESS : ours.position);
  }

  private dropOf(ours: Transaction): void {
    this.found.dropped++;
    if (ours.position >= this.options.ownFrom) this.found.droppedOwn++;
  }

  differs(difference: Difference): void {
    this.found.differenceCount++;
    this.keep(this.found.differences, difference);
  }

  shape(): void {
    // In a changed piece it may be a flipped bit, and the piece counts as unread.
    if (this.ours && this.side.isChanged(this.ours)) return;
    this.found.shapeCount++;
    this.keep(this.found.shapes, { slaveAt: 0, masterAt: 0, length: 0, apart: true });
  }

  /** Whether two transactions are at the same place and their records have the same tid: one header is damaged. */
  private async haveOneDamagedTid(theirs: Transaction, ours: Transaction): Promise<boolean> {
    if (theirs.position !== ours.position || theirs.end !== ours.end) return false;
    const [there, here] = [await this.master.firstTid(theirs), await this.slave.firstTid(ours)];
    return there !== undefined && there === here;
  }

  private keep(list: Mismatch[], difference: Difference): void {
    const { ours, theirs } = this;
    if (!ours || !theirs || list.length >= MOST_KEPT) return;
    list.push({ ...difference, tid: ours.tid, transaction: ours.position, masterTransaction: theirs.position });
  }

  private async both(theirs: Transaction, ours: Transaction): Promise<void> {
    const packed = this.enter(theirs);
    if (packed && ours.status !== STATUS_PACKED) this.found.newlyPacked = true;
    const shapesBefore = this.found.shapeCount;
    const before = this.found.differenceCount + shapesBefore;
    await this.match(theirs, ours, packed);
    // If a slave transaction breaks a rule, its shape is not compared: its piece counts as unread.
    if (this.slave.stop?.kind === 'broken' && this.side.pieceAt(ours.position)) {
      this.found.shapeCount = shapesBefore;
      this.found.shapes.splice(shapesBefore);
    }
    if (ours.tid !== theirs.tid) this.shape();
    this.found.matched++;
    const same = this.found.differenceCount + this.found.shapeCount === before;
    if (!same) this.found.differingTransactions++;
    // Any other change of the status byte is not made by a pack: it is a damaged byte.
    const repacked = (theirs.status === STATUS_PACKED) !== (ours.status === STATUS_PACKED);
    if (theirs.position !== ours.position || theirs.end !== ours.end || repacked) this.found.moved = true;
    else if (theirs.status !== ours.status) this.shape();
    if (same && this.found.foreign + this.found.lacking + before === 0)
      this.found.common = { tid: ours.tid, slaveEnd: ours.end };
    if (!packed) await this.notePointers(theirs, ours);
  }

  /** A file that is cut while it is read, or whose lengths are wrong, is broken in this transaction. */
  private async match(theirs: Transaction, ours: Transaction, packed: boolean): Promise<void> {
    try {
      await matchTransactions(this.master, theirs, this.slave, ours, packed, this);
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      if (error.source === this.master.source) this.master.endsWithin(theirs);
      else this.slave.endsWithin(ours);
    }
  }

  /** Whether this master transaction is in the packed part. */
  private enter(theirs: Transaction): boolean {
    if (theirs.status !== STATUS_PACKED) this.behindPack = true;
    if (!this.behindPack) this.packedEnd = theirs.end;
    if (!this.behindPack && theirs.recordsAt === theirs.recordsEnd) this.found.emptied = true;
    return !this.behindPack;
  }

  private async onlyOurs(ours: Transaction): Promise<void> {
    if (this.behindPack) {
      this.found.lacking++;
      return;
    }
    let records = 0;
    while (await this.slave.nextRecord(ours)) {
      records++;
      this.drop(this.slave.oidHigh, this.slave.oidLow, isUndone(this.slave));
    }
    // A transaction without records holds only its texts, and a pack drops it.
    if (records === 0 && !this.side.isChanged(ours)) this.dropOf(ours);
  }

  private async onlyTheirs(theirs: Transaction): Promise<void> {
    const packed = this.enter(theirs);
    const isNew = this.ours === undefined && this.slave.stop?.kind !== 'broken';
    if (isNew) this.found.news++;
    if (isNew && packed) this.found.newlyPacked = true;
    let records = 0;
    while (await this.master.nextRecord(theirs)) {
      records++;
      const { oidHigh, oidLow } = this.master;
      if (packed) this.kept(oidHigh, oidLow);
      else this.notePointer();
    }
    const unknown = this.side.unread.some(({ firstTid, lastTid }) => theirs.tid >= firstTid && theirs.tid <= lastTid);
    if (isNew || unknown) return;
    if (records === 0) this.found.moved = true;
    else this.found.foreign++;
  }

  /** Behind the packed part few records are pointers, so the transaction's records are read a second time. */
  private async notePointers(theirs: Transaction, ours: Transaction): Promise<void> {
    if (!this.master.sawPointer || this.packedEnd === MAGIC_LENGTH) return;
    this.master.rewindTo(theirs.recordsAt);
    while (await this.master.nextRecord(theirs)) this.notePointer();
    this.slave.rewindTo(ours.recordsEnd);
  }

  private notePointer(): void {
    const { dataLength, back, oidHigh, oidLow } = this.master;
    if (dataLength > 0 || back === 0 || back >= this.packedEnd || this.pointedBack.size >= MOST_POINTED_BACK) return;
    this.pointedBack.add(oidHigh * 0x1_0000_0000 + oidLow);
  }

  private async nextTheirs(): Promise<void> {
    const next = this.master.next();
    this.theirs = next instanceof Promise ? await next : next;
    if (this.theirs) this.found.masterLast = this.theirs.tid;
  }

  private async nextOurs(): Promise<void> {
    this.ours = await this.side.next();
  }

  private findings(early: boolean): MergeFindings {
    return {
      ...agesOf(this.droppedAt, this.keptAt, this.pointedBack),
      ...this.found,
      unread: this.side.unread,
      slaveLast: this.side.last,
      packed: this.packedEnd > MAGIC_LENGTH,
      slaveStop: this.slave.stop,
      masterStop: this.master.stop,
      early,
    };
  }
}
