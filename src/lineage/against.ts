import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Damage } from '../pipeline/damage.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { type Readable, readableEnd, upTo } from '../pipeline/scan.js';
import { findDifference } from '../pipeline/side-by-side.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import type { TermLine } from '../standby/role.js';
import { type Comparison, compare, sameMagic } from './compare.js';
import { commonTid, lineageOf } from './lineage-of.js';
import { findSides, type OnSide, type Sides } from './sides.js';
import type { Lineage, Verdict } from './verdict.js';

/** How a file compares with its master. */
export interface Against {
  readonly lineage: Lineage;
  /** undefined: the bytes alone decided. */
  readonly verdict: Verdict | undefined;
  /** The last transaction boundary up to which both are equal. */
  readonly equalUpTo: number;
  /** Position of the first byte that differs; undefined where one file is a prefix of the other. */
  readonly firstDifference: number | undefined;
  /** Position after the master's last committed transaction. */
  readonly masterEnd: number;
  readonly sides: Sides;
  readonly masterDamaged: Damage | undefined;
}

export interface AgainstRequest {
  readonly file: Readable;
  /** All transactions up to here are committed. */
  readonly end: number;
  /** All bytes up to `end` are verified. */
  readonly sound: boolean;
  /** The chunks recorded for the file; empty if none are. */
  readonly chunks: readonly ChunkLine[];
  readonly master: Readable;
  readonly chunkBytes: number;
  readonly deadline: ReadDeadline;
  readonly windows: readonly [Window, Window];
  /** The places where the master's terms began. */
  readonly terms?: readonly TermLine[];
  /** Receives each transaction that only one side has, newest first. */
  readonly onSide?: OnSide;
}

/** Compares the committed part of the file with the master: by the bytes, and where they differ by the lineage. */
export async function findAgainst(request: AgainstRequest): Promise<Against> {
  const { file, end, sound, chunks, master, chunkBytes, deadline, windows, terms = [], onSide } = request;
  const here = upTo(file, end);
  const newest = await new BackwardReader(master).from(await readableEnd(master, windows[0])).next();
  const masterEnd = newest.done ? MAGIC_LENGTH : newest.value.end;
  const compared = (await sameMagic(master, here)) ? await comparison() : undefined;
  const equalUpTo = compared?.equalUpTo ?? 0;
  const difference = compared?.firstDifference ?? 0;
  const shorter = Math.min(end, masterEnd);
  const equal = compared !== undefined && difference >= shorter;
  const verdict = equal ? undefined : await lineage();
  return {
    lineage: lineageNamed(verdict) ?? (end === masterEnd ? 'equal' : end < masterEnd ? 'behind' : 'ahead'),
    verdict,
    equalUpTo,
    firstDifference: difference < shorter ? difference : undefined,
    masterEnd,
    sides: await sides(),
    masterDamaged: compared?.masterDamaged,
  };

  async function comparison(): Promise<Pick<Comparison, 'equalUpTo' | 'firstDifference' | 'masterDamaged'>> {
    // Bytes verified here need no second walk on the master, as long as they are equal.
    if (sound && end <= master.size && (await findDifference(master, here, MAGIC_LENGTH, windows)) === end) {
      return { equalUpTo: end, firstDifference: end, masterDamaged: undefined };
    }
    return compare(master, here, NOTHING_YET, chunkBytes, windows);
  }

  function lineage(): Promise<Verdict> {
    const both = { master, masterEnd, slave: here, slaveEnd: end };
    return lineageOf({
      ...both,
      chunks,
      ownFrom: end,
      unverified: false,
      damageReported: false,
      terms,
      bytesDiffer: compared !== undefined,
      deadline,
      window: windows[0],
    });
  }

  async function sides(): Promise<Sides> {
    const ending = { source: here, end: await readableEnd(here, windows[0]) };
    const until = verdict && (await commonTid(verdict, here, master, masterEnd));
    return findSides(ending, { source: master, end: masterEnd }, until, onSide);
  }
}

function lineageNamed(verdict: Verdict | undefined): Lineage | undefined {
  if (!verdict) return undefined;
  const { lineage, blame, findings } = verdict;
  if (blame === 'slave' && !findings.moved) return 'rotten';
  // Only the magic differs: the next sync copies everything.
  return lineage === 'equal' || lineage === 'behind' ? 'packed' : lineage;
}
