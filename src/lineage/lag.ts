import { BackwardReader, type ByteSource, type FoundTransaction } from '../filestorage/backward.js';
import {
  MAGIC_LENGTH,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import { tidToTime } from '../filestorage/tid.js';
import { type Readable, readableEnd } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { Claim } from '../standby/dat.js';
import { isSame } from './sides.js';
import { lacksNewest } from './unpacked-place.js';

/** How far a slave is behind its master, if that can be determined. */
export interface Lag {
  readonly masterTid: bigint | undefined;
  readonly behind: Behind | NotComparable;
}

export interface Behind {
  readonly kind: 'behind';
  /** Age of the oldest transaction that the slave lacks, 0 when it lacks none; null where its tid encodes no time. */
  readonly seconds: number | null;
  readonly transactions: number;
  readonly bytes: number;
}

export interface NotComparable {
  /** `forked`: the slave has transactions that the master lacks. `unknown`: the next sync finds out. */
  readonly kind: 'forked' | 'unknown';
  readonly why: string;
}

const OWN = 'the slave has transactions that the master does not have at that place';
const LACKS = "the master lacks the slave's last transaction, and no pack can have dropped it";
const ELSEWHERE =
  "the master does not have the slave's last transaction at its place: it was packed since the last sync, or is another one";
const BROKEN = "the master's transactions cannot be followed back from its end to the slave's last one";

/**
 * Counts the master's transactions behind the slave's last one, from the master's end backwards.
 *
 * The count is valid only where the master continues the slave, so the slave's last transaction must be on the master:
 * at its place, or, after a pack, anywhere with the same data. If a pack dropped it, nothing is counted: a master that
 * forked before it was packed looks the same.
 *
 * @param slave the slave's file; undefined where it cannot be read
 * @param now milliseconds since the epoch
 */
export async function findLag(
  master: Readable,
  slave: ByteSource | undefined,
  claim: Claim,
  window: Window,
  now: number,
): Promise<Lag> {
  const reader = new BackwardReader(master);
  const isAtItsPlace = claim.position === MAGIC_LENGTH || (await reader.endingAt(claim.position))?.tid === claim.tid;
  // A tail in flight hides the end. If the claim's transaction is at its place, only the bytes behind it are searched.
  const end = await readableEnd(master, window, isAtItsPlace ? claim.position : MAGIC_LENGTH);
  const masterTid = await tidBefore(reader, end);
  const own = slave && (await finishedAt(slave, claim.position));
  if (!isAtItsPlace) {
    const ended = { source: slave ?? master, end: claim.position };
    if (slave && (await lacksNewest(ended, { source: master, end }))) {
      return { masterTid, behind: { kind: 'forked', why: LACKS } };
    }
    const behind = own || !slave ? undefined : await countByTid(master, end, slave, claim, now);
    return { masterTid, behind: behind ?? { kind: 'unknown', why: ELSEWHERE } };
  }
  if (slave && own && !(await isOnMaster(own, slave, master)))
    return { masterTid, behind: { kind: 'forked', why: OWN } };
  return { masterTid, behind: await countBackTo(claim.position, master, end, now) };
}

/** The tid of the master's last committed transaction. */
export async function newestTid(master: Readable, window: Window): Promise<bigint | undefined> {
  return tidBefore(new BackwardReader(master), await readableEnd(master, window));
}

async function tidBefore(reader: BackwardReader, end: number): Promise<bigint | undefined> {
  const newest = await reader.from(end).next();
  return newest.done ? undefined : newest.value.tid;
}

/** The finished transaction at a position of the slave: one that the master lacks, or of a batch not yet published. */
async function finishedAt(slave: ByteSource, position: number): Promise<FoundTransaction | undefined> {
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await slave.readBytes(bytes, position)) < bytes.length) return undefined;
  const header = readTransactionHeader(new DataView(bytes.buffer), 0);
  const end = position + header.length + TRAILER_LENGTH;
  if (header.status === STATUS_IN_FLIGHT || end > slave.size) return undefined;
  const found = await new BackwardReader(slave).endingAt(end);
  return found?.position === position ? found : undefined;
}

/** Whether the master has the slave's transaction at the same place. */
async function isOnMaster(ours: FoundTransaction, slave: ByteSource, master: Readable): Promise<boolean> {
  const theirs = await new BackwardReader(master).endingAt(ours.end);
  return theirs?.position === ours.position && (await isSame(slave, ours, master, theirs));
}

async function countBackTo(position: number, master: Readable, end: number, now: number): Promise<Lag['behind']> {
  const counter = new Counter();
  let reached = end;
  for await (const found of new BackwardReader(master).from(end)) {
    if (reached <= position) break;
    counter.add(found);
    reached = found.position;
  }
  return reached === position ? counter.behind(now) : { kind: 'unknown', why: BROKEN };
}

/**
 * For a master whose transactions have moved; undefined if it does not have the slave's last one with the same data.
 */
async function countByTid(
  master: Readable,
  end: number,
  slave: ByteSource,
  claim: Claim,
  now: number,
): Promise<Behind | undefined> {
  const ours = await new BackwardReader(slave).endingAt(claim.position);
  if (ours?.tid !== claim.tid) return undefined;
  const counter = new Counter();
  for await (const found of new BackwardReader(master).from(end)) {
    if (found.tid < claim.tid) return undefined;
    if (found.tid === claim.tid) return (await isSame(slave, ours, master, found)) ? counter.behind(now) : undefined;
    counter.add(found);
  }
  return undefined;
}

/** Counts transactions that arrive newest first. */
class Counter {
  private transactions = 0;
  private bytes = 0;
  private oldest: bigint | undefined;

  add({ tid, position, end }: FoundTransaction): void {
    this.transactions++;
    this.bytes += end - position;
    this.oldest = tid;
  }

  behind(now: number): Behind {
    return {
      kind: 'behind',
      seconds: this.oldest === undefined ? 0 : ageOfTid(this.oldest, now),
      transactions: this.transactions,
      bytes: this.bytes,
    };
  }
}

/** Seconds since a transaction, to the millisecond; 0 for one in the future, null for a tid that encodes no time. */
export function ageOfTid(tid: bigint, now: number): number | null {
  const time = tidToTime(tid);
  return time === undefined ? null : Math.max(0, Math.round(now - time)) / 1000;
}
