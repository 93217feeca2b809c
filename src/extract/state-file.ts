import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import { MAGIC_LENGTH, type Magic, STATUS_IN_FLIGHT, STATUS_PACKED } from '../filestorage/layout.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import { finishedEnd } from '../pipeline/finished-end.js';
import type { Master } from '../pipeline/master.js';
import { observeMaster, usableDat } from '../pipeline/observe.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { headerAt, transactionAt } from '../pipeline/records.js';
import { scan } from '../pipeline/scan.js';
import { judgeTail } from '../pipeline/tail.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import { readDatOf } from '../standby/dat-file.js';
import { type Belongs, findPlace, type Search, walkToPlace } from './find-place.js';

/** The place of a moment in a file, and its neighbours. */
export interface Place {
  /** Behind the last transaction that is not newer than the moment; MAGIC_LENGTH where all are newer. */
  readonly position: number;
  /** That transaction, and the next one. */
  readonly last: FoundTransaction | undefined;
  readonly next: FoundTransaction | undefined;
}

export function isPlace(found: Place | Damage | Rot): found is Place {
  return 'next' in found;
}

/** A Data.fs that may hold the state of a moment, opened for reading. It may be written meanwhile. */
export class StateFile {
  private constructor(
    readonly path: string,
    readonly master: Master,
    readonly magic: Magic,
    /** The end of its last finished transaction. */
    readonly end: number,
    /** What makes the transactions behind `end` unreadable. */
    readonly damage: Damage | Rot | undefined,
    readonly chunks: readonly ChunkLine[],
    private readonly window: Window,
  ) {}

  /** Returns in words why there is nothing to read. */
  static async open(path: string, window: Window, deadline: ReadDeadline): Promise<StateFile | string> {
    const observed = await observeMaster(path, deadline, undefined);
    if (!('master' in observed)) return observed.state.reason;
    const { master, magic } = observed;
    try {
      const { inode } = master.facts;
      const { dat } = usableDat(readDatOf({ dat: `${path}.dat`, freshDat: `${path}.new.dat` }, inode), inode);
      // A sync that is under way: its batch becomes visible at once.
      const hidden = dat && (await headerAt(master, dat.claim.position))?.status === STATUS_IN_FLIGHT;
      const { end, damage } = hidden
        ? { end: dat.claim.position, damage: undefined }
        : await committedEnd(master, window);
      return new StateFile(path, master, magic, end, damage, dat?.chunks ?? [], window);
    } catch (error) {
      master.close();
      throw error;
    }
  }

  /** Finds the place of a moment by reading little; `proved`: by reading everything before it. */
  async placeOf(until: bigint, proved = false): Promise<Place | Damage | Rot> {
    const belongs: Belongs = ({ tid }) => tid <= until;
    const position = proved
      ? await this.walkTo(belongs)
      : await findPlace(this.search, belongs, ({ firstTid }) => firstTid <= until);
    if (typeof position !== 'number') return position;
    if (position === this.end && this.damage) return this.damage;
    const last = position > MAGIC_LENGTH ? await new BackwardReader(this.master).endingAt(position) : undefined;
    const next = position < this.end ? await transactionAt(this.master, position) : undefined;
    // What looked like a transaction may have been data of one.
    const isWrong = (next && belongs(next)) || (position > MAGIC_LENGTH && !(last && belongs(last)));
    return isWrong && !proved ? this.placeOf(until, true) : { position, last, next };
  }

  /** The newest transaction that a pack has rewritten: what was before it is here only as far as it was current then. */
  async lastPacked(): Promise<FoundTransaction | undefined> {
    const position = await findPlace(this.search, ({ status }) => status === STATUS_PACKED);
    return position > MAGIC_LENGTH ? new BackwardReader(this.master).endingAt(position) : undefined;
  }

  async lastTransaction(): Promise<FoundTransaction | undefined> {
    return new BackwardReader(this.master).endingAt(this.end);
  }

  async has(tid: bigint): Promise<boolean> {
    const place = await this.placeOf(tid);
    return isPlace(place) && place.last?.tid === tid;
  }

  close(): void {
    this.master.close();
  }

  /** Finished transactions follow up to `end`: what hides them is damage. */
  private async walkTo(belongs: Belongs): Promise<number | Damage | Rot> {
    const { place, stop, lastTid } = await walkToPlace(this.search, belongs);
    if (stop.kind === 'end' || place < stop.position) return place;
    const tail = await judgeTail(stop, this.master, this.window, lastTid);
    if (tail.kind === 'damaged') return tail.damage;
    const { position } = stop;
    const message = `no whole transaction begins here, and others follow up to ${this.end}`;
    return { kind: 'damaged', position, at: position, tid: lastTid, rule: 'transaction-length', message };
  }

  private get search(): Search {
    return { file: this.master, end: this.end, window: this.window, chunks: this.chunks };
  }
}

/**
 * Where the finished transactions end. If the file's end does not show it, all of it is read: damage may be in the way of
 * what follows.
 */
async function committedEnd(
  master: Master,
  window: Window,
): Promise<{ readonly end: number; readonly damage?: Damage | Rot | undefined }> {
  if (master.size === MAGIC_LENGTH) return { end: MAGIC_LENGTH };
  const end = await finishedEnd(master);
  if (end !== undefined) return { end };
  const { stop, end: reached, lastTid } = await scan(master, window, MAGIC_LENGTH);
  const tail = stop && stop.kind !== 'end' ? await judgeTail(stop, master, window, lastTid) : undefined;
  return { end: reached, damage: tail?.kind === 'damaged' ? tail.damage : undefined };
}
