import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { compare, sameMagic } from '../lineage/compare.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Damage } from '../pipeline/damage.js';
import type { Master } from '../pipeline/master.js';
import { headerAt } from '../pipeline/records.js';
import type { Resume } from '../pipeline/resume.js';
import { firstDifference, type Readable, upTo } from '../pipeline/scan.js';
import { hashOf } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';

/** Both sides of a rejoin, open for reading. */
export interface BothSides {
  readonly master: Master;
  readonly slave: Readable;
  readonly chunkBytes: number;
  readonly windows: readonly [Window, Window];
}

export type Proof =
  /** Every byte of the slave before `resume` equals the master's; a transaction boundary. */
  | { readonly kind: 'equal'; readonly resume: Resume; readonly hashed: number; readonly compared: number }
  /** They differ before the place that was to be proved. */
  | { readonly kind: 'differs'; readonly from: number; readonly to: number; readonly damaged?: Damage };

/** Bytes before the fork that are compared with the master: enough to recognise the end of a transaction. */
const RECOGNISED = 64;

/**
 * Proves that the slave equals the master up to `limit`, or as far as both have bytes. `chunks`, those of the master's own
 * `.dat` or of a claim about the master, are hashed on the slave alone: no byte of them is read from the master, except the
 * last few. What follows them is compared byte by byte.
 */
export async function prove(sides: BothSides, chunks: readonly ChunkLine[], limit: number | undefined): Promise<Proof> {
  const { master, slave, chunkBytes, windows } = sides;
  if (!(await sameMagic(master, slave))) return { kind: 'differs', from: 0, to: MAGIC_LENGTH };
  const end = Math.min(limit ?? slave.size, slave.size);
  const recorded = chunks.filter((chunk) => chunk.end <= end);
  let tailState = '';
  for (const chunk of recorded) {
    if ((await hashOf(slave, chunk, windows[0])) !== chunk.hash)
      return { kind: 'differs', from: chunk.start, to: chunk.end };
    tailState = windows[0].save();
  }
  const last = recorded.at(-1);
  const hashed: Resume = last ? { position: last.end, tid: last.lastTid, chunks: recorded, tailState } : NOTHING_YET;
  if (!(await sameBefore(sides, hashed.position)))
    return { kind: 'differs', from: Math.max(0, hashed.position - RECOGNISED), to: hashed.position };
  if (hashed.position >= end) return { kind: 'equal', resume: hashed, hashed: hashed.position, compared: 0 };
  const theirs = limit === undefined ? master : upTo(master, limit);
  const seen = await compare(theirs, slave, hashed, chunkBytes, windows);
  const { position, tid, firstDifference: difference } = seen;
  const resume = { position, tid, chunks: seen.chunks, tailState: seen.tailState };
  if (limit !== undefined && difference < end) {
    const damaged = seen.masterDamaged && { damaged: seen.masterDamaged };
    return { kind: 'differs', from: position, to: difference, ...damaged };
  }
  return { kind: 'equal', resume, hashed: hashed.position, compared: position - hashed.position };
}

/** Whether the last bytes before `position` are the same, so that the master is the file that the chunks describe. */
export async function sameBefore(
  { master, slave }: BothSides,
  position: number,
  length = RECOGNISED,
): Promise<boolean> {
  const from = Math.max(0, position - length);
  const theirs = new Uint8Array(position - from);
  const ours = new Uint8Array(position - from);
  const counts = [await master.readBytes(theirs, from), await slave.readBytes(ours, from)];
  return counts.every((count) => count === theirs.length) && firstDifference(theirs, ours) === undefined;
}

/** Whether the transaction that follows `position` has the same tid on both sides: then the fork is further on. */
export async function goesOn({ master, slave }: BothSides, position: number): Promise<boolean> {
  const ours = await headerAt(slave, position);
  if (ours === undefined) return false;
  const theirs = await headerAt(master, position);
  return theirs !== undefined && theirs.tid === ours.tid && theirs.length === ours.length;
}
