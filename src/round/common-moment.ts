import { milliseconds } from '../io/clock.js';
import { type MasterPlace, type ProbedEnd, probeEnd } from '../pipeline/master-place.js';
import { pause, type ReadDeadline } from '../pipeline/read-deadline.js';
import { NotTogether } from './not-together.js';

export interface MasterToProbe {
  readonly path: string;
  readonly deadline: ReadDeadline;
}

/** The places at which the masters were at one moment. */
export interface CommonMoment {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly places: readonly MasterPlace[];
}

/** Commits that follow each other without a pause may leave no moment without one. */
const MOST_MILLISECONDS = 10_000;
const SHORTEST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

/**
 * Finds a moment at which no transaction was being committed on any of the masters, and the end of each at that moment.
 *
 * Every master is opened and its end probed, and when all have been, they are all opened and probed again. If each still
 * ends in the same finished transaction, and has nothing behind it, then at the moment M between the two rounds
 *
 *  - each master ended there, because a file only grows (a pack or a restore makes another file), and
 *  - every transaction that was finished on one master at M is finished on all of its masters. ZODB votes on all
 *    storages before it finishes on the first one, and a vote writes the transaction into the file. So a part that is not
 *    finished at M stands behind the end of its file, in flight, and the second probe finds it there or finished:
 *    either way the file is not as it was.
 *
 * This needs no clock, and no relation between the tids of the parts. It needs openings that show what was written before
 * them, as a local disk and NFS (without `nocto`) do.
 */
export async function findCommonMoment(masters: readonly MasterToProbe[]): Promise<CommonMoment> {
  const began = milliseconds();
  let wait = SHORTEST_PAUSE_MS;
  let before = await probeAll(masters);
  for (;;) {
    const time = Date.now();
    const now = await probeAll(masters);
    const places = now.flatMap((probed, index) => unchanged(before[index], probed));
    if (places.length === masters.length) return { time, places };
    if (milliseconds() - began > MOST_MILLISECONDS) throw noMoment(masters, now);
    before = now;
    // A moment without a commit may be short: it is not slept through.
    if (now.every((probed) => probed?.isBusy === false)) continue;
    await pause(wait * (0.5 + Math.random()));
    wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS);
    before = await probeAll(masters);
  }
}

type Seen = ProbedEnd | undefined;

function probeAll(masters: readonly MasterToProbe[]): Promise<readonly Seen[]> {
  return Promise.all(masters.map(({ path, deadline }) => probeEnd(path, deadline)));
}

function unchanged(before: Seen, now: Seen): MasterPlace[] {
  if (!before || !now || now.isBusy) return [];
  const [a, b] = [before.place, now.place];
  const same = a.device === b.device && a.inode === b.inode && a.end === b.end && a.tid === b.tid;
  return same ? [b] : [];
}

const BUSY_HINT =
  'the next run tries again. Has a server been killed in the middle of a commit? Its Data.fs ends in an unfinished transaction until the server runs again';
const UNCLEAR_HINT = `${BUSY_HINT}. A sync of that storage without --together reports whether its end is damaged`;

function noMoment(masters: readonly MasterToProbe[], now: readonly Seen[]): NotTogether {
  const pathsOf = (is: (seen: Seen) => boolean): string =>
    masters.flatMap(({ path }, index) => (is(now[index]) ? [path] : [])).join(', ');
  const inFlight = pathsOf((seen) => seen?.isBusy === true);
  const unclear = pathsOf((seen) => seen === undefined);
  const words = [
    `no moment was found in ${MOST_MILLISECONDS / 1000} s at which none of the masters was committing`,
    ...(inFlight === '' ? [] : [`in flight at the last probe: ${inFlight}`]),
    ...(unclear === '' ? [] : [`without a complete transaction at the end: ${unclear}`]),
  ];
  return new NotTogether(words.join('; '), unclear === '' ? BUSY_HINT : UNCLEAR_HINT);
}
