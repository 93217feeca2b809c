import { BackwardReader, type ByteSource } from './backward.js';
import type { Parting, Side } from './facts.js';
import { isConsistent } from './records.js';
import { sameTransaction } from './same-transaction.js';

/**
 * Beyond this many transactions the counts are given as lower bounds. What the master has committed since the slave's
 * newest transaction is not reckoned in: however far the slave is behind, its own transactions are looked for.
 */
export const PARTING_LIMIT = 100_000;

/** A file whose transactions can be read backwards from `end`. */
export interface Ending {
  readonly source: ByteSource;
  readonly end: number;
}

/**
 * Which transactions only the slave has and which only the master has, from both ends backwards to the newest one that
 * both have. tids rise in both files, so one pass over both is enough.
 */
export async function findParting(slave: Ending, master: Ending, limit = PARTING_LIMIT): Promise<Parting> {
  const here = new BackwardReader(slave.source).from(slave.end);
  const there = new BackwardReader(master.source).from(master.end);
  const onlyHere = new Counter();
  const onlyThere = new Counter();
  const found = (common: bigint | undefined, complete: boolean): Parting => {
    return { onlyHere: onlyHere.side(), onlyThere: onlyThere.side(), doubtful, common, complete };
  };
  let doubtful = 0;
  let ours = await here.next();
  let theirs = await there.next();
  while (!ours.done && !theirs.done && theirs.value.tid > ours.value.tid) {
    onlyThere.add(theirs.value.tid);
    theirs = await there.next();
  }
  for (let budget = limit; budget > 0; budget--) {
    if (ours.done && theirs.done) return found(undefined, ours.value === 'start' && theirs.value === 'start');
    // A broken chain of trailers: what lies before it on this side is not known, so nothing more can be told apart.
    if ((ours.done && ours.value === 'broken') || (theirs.done && theirs.value === 'broken')) break;
    const newerHere = !ours.done && (theirs.done || ours.value.tid >= theirs.value.tid);
    const newerThere = !theirs.done && (ours.done || theirs.value.tid >= ours.value.tid);
    if (!ours.done && !theirs.done && newerHere && newerThere) {
      if (await sameTransaction(slave.source, ours.value, master.source, theirs.value))
        return found(ours.value.tid, true);
      doubtful++;
    } else if (!ours.done && newerHere && !(await isConsistent(slave.source, ours.value))) {
      doubtful++;
    }
    if (!ours.done && newerHere) {
      onlyHere.add(ours.value.tid);
      ours = await here.next();
    }
    if (!theirs.done && newerThere) {
      onlyThere.add(theirs.value.tid);
      theirs = await there.next();
    }
  }
  return found(undefined, false);
}

/** Counts transactions that come newest first. */
class Counter {
  private count = 0;
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
