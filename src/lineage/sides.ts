import { BackwardReader, type ByteSource, type FoundTransaction } from '../filestorage/backward.js';
import { STATUS_PACKED } from '../filestorage/layout.js';
import { sourceOf } from './file-source.js';
import { type Difference, type MatchReceiver, matchTransactions } from './match.js';
import { TransactionCursor } from './transaction-cursor.js';

/** A file whose transactions can be read backwards from `end`. */
export interface Ending {
  readonly source: ByteSource;
  readonly end: number;
}

/** Transactions that only one side has. */
export interface Side {
  readonly count: number;
  /** Oldest and newest; undefined if there are none. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
}

export interface Sides {
  readonly onlyHere: Side;
  readonly onlyThere: Side;
  /** The newest common transaction before those, and where it ends on the slave. */
  readonly common: { readonly tid: bigint; readonly slaveEnd: number } | undefined;
  /** false: the search ended early, so both counts are lower bounds. */
  readonly complete: boolean;
}

/**
 * Beyond this many transactions the counts are lower bounds. Master transactions newer than the slave's newest one do
 * not count towards it.
 */
export const SIDES_LIMIT = 100_000;

/** Receives what one side has and the other lacks, newest first. */
export type OnSide = (side: 'here' | 'there', found: FoundTransaction) => void;

/**
 * Finds the transactions that only one side has, from both ends backwards to the newest common one, or to `until`,
 * which is known to be common. Compares tids; if both have a tid, compares the contents.
 */
export async function findSides(
  slave: Ending,
  master: Ending,
  until: bigint | undefined,
  onSide: OnSide = () => {},
  limit = SIDES_LIMIT,
): Promise<Sides> {
  const here = new BackwardReader(slave.source).from(slave.end);
  const there = new BackwardReader(master.source).from(master.end);
  const onlyHere = new Counter();
  const onlyThere = new Counter();
  const result = (common: Sides['common'], complete: boolean): Sides => {
    return { onlyHere: onlyHere.side(), onlyThere: onlyThere.side(), common, complete };
  };
  const take = (side: 'here' | 'there', found: FoundTransaction): void => {
    (side === 'here' ? onlyHere : onlyThere).add(found.tid);
    onSide(side, found);
  };
  let ours = await here.next();
  let theirs = await there.next();
  const isPast = (found: { readonly tid: bigint }): boolean => until !== undefined && found.tid <= until;
  for (let budget = limit; budget > 0; ) {
    if ((ours.done && ours.value === 'broken') || (theirs.done && theirs.value === 'broken'))
      return result(undefined, false);
    const mine = ours.done || isPast(ours.value) ? undefined : ours.value;
    const other = theirs.done || isPast(theirs.value) ? undefined : theirs.value;
    if (!mine && !other) {
      const end = ours.done ? undefined : { tid: ours.value.tid, slaveEnd: ours.value.end };
      return result(end, true);
    }
    if (mine && other && mine.tid === other.tid) {
      const same = await isSame(slave.source, mine, master.source, other);
      if (same && until === undefined) return result({ tid: mine.tid, slaveEnd: mine.end }, true);
      if (!same) {
        take('here', mine);
        take('there', other);
      }
      ours = await here.next();
      theirs = await there.next();
      budget--;
    } else if (mine && (!other || mine.tid > other.tid)) {
      take('here', mine);
      ours = await here.next();
      budget--;
    } else if (other) {
      take('there', other);
      theirs = await there.next();
      if (onlyHere.count > 0) budget--;
    }
  }
  return result(undefined, false);
}

/** Whether two transactions with one tid have the same contents, as far as a pack of the master left them. */
export async function isSame(
  slave: ByteSource,
  ours: FoundTransaction,
  master: ByteSource,
  theirs: FoundTransaction,
): Promise<boolean> {
  const [a, b] = [
    new TransactionCursor(sourceOf(master, theirs.end), theirs.position),
    new TransactionCursor(sourceOf(slave, ours.end), ours.position),
  ];
  const [theirTransaction, ourTransaction] = [await a.next(), await b.next()];
  if (!theirTransaction || !ourTransaction) return false;
  const sameness = new Sameness();
  await matchTransactions(a, theirTransaction, b, ourTransaction, theirs.status === STATUS_PACKED, sameness);
  return sameness.same && a.stop === undefined && b.stop === undefined;
}

class Sameness implements MatchReceiver {
  same = true;
  kept(): void {}
  drop(): void {}
  differs(_difference: Difference): void {
    this.same = false;
  }
  shape(): void {
    this.same = false;
  }
}

/** Counts transactions that arrive newest first. */
class Counter {
  count = 0;
  private first: bigint | undefined;
  private last: bigint | undefined;

  add(tid: bigint): void {
    this.count++;
    this.last ??= tid;
    this.first = tid;
  }

  side(): Side {
    return { count: this.count, first: this.first, last: this.last };
  }
}
