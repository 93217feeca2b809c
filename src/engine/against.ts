import { MAGIC_LENGTH, STATUS_PACKED, type TransactionHeader } from '../filestorage/layout.js';
import { BackwardReader, type ByteSource } from './backward.js';
import { NOTHING_YET } from './chunk-table.js';
import { compare, sameMagic } from './compare.js';
import type { Comparison, Damage, Parting } from './facts.js';
import { findParting } from './parting.js';
import { findPresence } from './presence.js';
import { headerAt } from './records.js';
import { type Readable, readableEnd, upTo } from './scan.js';
import { findDifference } from './side-by-side.js';
import type { Window } from './window.js';

/**
 * How a file stands to its master.
 *
 *  - `equal`: both have the same transactions, byte for byte;
 *  - `behind`: all that is here is the master's beginning;
 *  - `ahead`: the master is the beginning of what is here;
 *  - `packed`: the master has been packed since, so its bytes cannot be the same;
 *  - `differs`: the same transactions, with other bytes: one of the two has changed on its disk;
 *  - `parted`: each has what the other lacks, or they are of different sites.
 */
export type Relation = 'equal' | 'behind' | 'ahead' | 'packed' | 'differs' | 'parted';

export interface Against {
  readonly relation: Relation;
  /** The last transaction boundary up to which both are equal. */
  readonly equalUpTo: number;
  /** Position of the first byte that differs; undefined where one of them ends first. */
  readonly firstDifference: number | undefined;
  /** Position after the master's last committed transaction. */
  readonly masterEnd: number;
  readonly parting: Parting;
  readonly masterDamaged: Damage | undefined;
}

/**
 * Compares what is committed here, up to `end`, with the master.
 * @param sound all up to `end` has been found right
 */
export async function findAgainst(
  opened: Readable,
  end: number,
  sound: boolean,
  master: Readable,
  chunkBytes: number,
  windows: readonly [Window, Window],
): Promise<Against> {
  const here = upTo(opened, end);
  const newest = await new BackwardReader(master).from(await readableEnd(master, windows[0])).next();
  const masterEnd = newest.done ? MAGIC_LENGTH : newest.value.end;
  const ending = { source: here, end: await readableEnd(here, windows[0]) };
  const masterEnding = { source: master, end: masterEnd };
  const comparable = await sameMagic(master, here);
  const compared = comparable ? await comparison() : undefined;
  const equalUpTo = compared?.equalUpTo ?? 0;
  const difference = compared?.firstDifference ?? 0;
  const shorter = Math.min(end, masterEnd);
  const parting = await findParting(ending, masterEnding);
  return {
    relation: await relation(),
    equalUpTo,
    firstDifference: difference < shorter ? difference : undefined,
    masterEnd,
    parting,
    masterDamaged: compared?.masterDamaged,
  };

  async function comparison(): Promise<Pick<Comparison, 'equalUpTo' | 'firstDifference' | 'masterDamaged'>> {
    // What is right here is right there as well, as long as it is the same: it need not be walked over once more.
    if (sound && end <= master.size && (await findDifference(master, here, MAGIC_LENGTH, windows)) === end) {
      return { equalUpTo: end, firstDifference: end, masterDamaged: undefined };
    }
    return compare(master, here, NOTHING_YET, chunkBytes, windows);
  }

  async function relation(): Promise<Relation> {
    if (comparable && difference >= shorter) return end === masterEnd ? 'equal' : end < masterEnd ? 'behind' : 'ahead';
    const [ours, theirs] = [await headerIn(here, equalUpTo), await headerIn(master, equalUpTo)];
    const packed = theirs?.status === STATUS_PACKED && ours?.status !== STATUS_PACKED;
    if (!packed && ours && theirs && ours.tid === theirs.tid && ours.length === theirs.length) return 'differs';
    const presence = await findPresence(ending, masterEnding, windows[0]);
    return presence.kind === 'present' || presence.kind === 'packed-span' ? 'packed' : 'parted';
  }
}

function headerIn(file: ByteSource, position: number): Promise<TransactionHeader | undefined> {
  return headerAt(file, Math.max(position, MAGIC_LENGTH), file.size);
}
