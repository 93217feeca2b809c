import type { BackwardReader } from './backward.js';
import type { Parting, Side } from './facts.js';

/** Beyond this many transactions on one side the counts are given as lower bounds. */
export const PARTING_LIMIT = 100_000;

/**
 * Which transactions only the slave has and which only the master has, from both ends backwards to the newest one that
 * both have. tids rise in both files, so one pass over both is enough.
 */
export async function findParting(
  slave: BackwardReader,
  slaveEnd: number,
  master: BackwardReader,
  masterEnd: number,
  limit = PARTING_LIMIT,
): Promise<Parting> {
  const here = slave.from(slaveEnd);
  const there = master.from(masterEnd);
  const onlyHere = new Counter();
  const onlyThere = new Counter();
  let ours = await here.next();
  let theirs = await there.next();
  let budget = limit;
  while (budget-- > 0) {
    if (ours.done && theirs.done) {
      const complete = ours.value === 'start' && theirs.value === 'start';
      return { onlyHere: onlyHere.side(), onlyThere: onlyThere.side(), common: undefined, complete };
    }
    // A broken chain of trailers: what lies before it on this side is not known, so nothing more can be told apart.
    if ((ours.done && ours.value === 'broken') || (theirs.done && theirs.value === 'broken')) break;
    if (!ours.done && !theirs.done && ours.value.tid === theirs.value.tid) {
      return { onlyHere: onlyHere.side(), onlyThere: onlyThere.side(), common: ours.value.tid, complete: true };
    }
    if (!ours.done && (theirs.done || ours.value.tid > theirs.value.tid)) {
      onlyHere.add(ours.value.tid);
      ours = await here.next();
    } else if (!theirs.done) {
      onlyThere.add(theirs.value.tid);
      theirs = await there.next();
    }
  }
  return { onlyHere: onlyHere.side(), onlyThere: onlyThere.side(), common: undefined, complete: false };
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
