import { describeRot, examineChunk, matchesOnBothSides } from '../pipeline/chunk-sides.js';
import { hasTransactionsOf } from '../pipeline/chunk-transactions.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import type { Resume } from '../pipeline/resume.js';
import { damageIn, type Readable } from '../pipeline/scan.js';
import { sideBySide } from '../pipeline/side-by-side.js';
import { findVerified, hashOf, type Scene } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import { sameMagic } from './compare.js';
import { sourceOf } from './file-source.js';
import { merge } from './merge.js';

/** Whether the master still has the copied bytes at the same place. */
export type Generation =
  /** `moved`: another file (another inode or mount) that holds the same bytes. */
  /** `repairs`: old chunks that are wrong on the slave only. */
  | { readonly kind: 'same'; readonly moved: boolean; readonly repairs?: readonly ChunkLine[] }
  /**
   * The last run copied pages of zeros that the master's client did not have yet. `resume` is the place before them.
   */
  | { readonly kind: 'stale'; readonly resume: Resume; readonly problem: string }
  /** Other transactions, or the same ones at other places: the lineage decides what the master is to the slave. */
  | { readonly kind: 'other' }
  | { readonly kind: 'damaged'; readonly stop: Damage | Rot };

/** Bytes at the head, and before the claim, that are compared to recognise a file. */
const QUICK_COMPARE = 65_536;
/** Bytes of the last run's copy that are compared again. The scrub covers the rest. */
const SECOND_READ = 64 << 20;
/** Up to this many differing bytes in a page count as flipped bits, even if the slave has zeros there. */
const FEW = 8;
const PAGE = 4096;

/** Row 11: whether the master is still the file that the slave was copied from, and still has the copied bytes. */
export async function probeGeneration(scene: Scene, verified: Resume): Promise<Generation> {
  const { master, slave, dat, windows } = scene;
  const known = dat?.master;
  const sameFile = known?.device === master.facts.device && known.inode === master.facts.inode;
  if (sameFile && scene.continues) return { kind: 'same', moved: false };
  const compareFrom = secondReadFrom(scene, verified);
  // Another file may hold the same bytes: moved to another disk, or remounted after a reboot. The chunks show it.
  if (!(await sameMagic(master, slave))) return otherGeneration(scene, sameFile);
  const repairs: ChunkLine[] = [];
  for (const [index, chunk] of verified.chunks.entries()) {
    // A long file has many chunks, and only two of them hold what is compared of a recognised file.
    if (sameFile && chunk.start >= QUICK_COMPARE && chunk.end <= compareFrom) continue;
    const isSuspect = sameFile
      ? await differs(chunk, compareFrom, scene)
      : (await hashOf(master, chunk, windows[0])) !== chunk.hash;
    if (!isSuspect) continue;
    const state = await examineChunk(chunk, master, slave, windows);
    if (state.masterMatches) {
      if (!state.slaveMatches) repairs.push(chunk);
      continue;
    }
    // If the slave's bytes changed too, they may be anything. The chunk's `.dat` line states what they were.
    const same =
      (!state.slaveMatches && (await hasTransactionsOf(chunk, master, slave, windows[0]))) ||
      (await hasSameTransactions(chunk, scene));
    if (!same) return otherGeneration(scene, sameFile);
    const copiedLast = dat?.copiedFrom;
    if (sameFile && state.slaveMatches && copiedLast !== undefined && chunk.end > copiedLast) {
      if (await arePagesOfZeros(chunk, copiedLast, master, slave, windows)) {
        const from = await findVerified(scene, verified.chunks.slice(0, index));
        const problem = `the slave has pages of zeros where the master has other bytes now, in what the last run copied from ${chunk.start} on`;
        return { kind: 'stale', resume: from, problem };
      }
    }
    return { kind: 'damaged', stop: await describeRot(chunk, state, slave, windows[0]) };
  }
  return { kind: 'same', moved: !sameFile, ...(repairs.length > 0 && { repairs }) };
}

/** The same file with other bytes below the claim is damaged, or is another file that reuses the inode number. */
async function otherGeneration({ master, windows }: Scene, sameFile: boolean): Promise<Generation> {
  const damage = sameFile ? await damageIn(master, windows[0]) : undefined;
  return damage ? { kind: 'damaged', stop: damage } : { kind: 'other' };
}

/**
 * From where on the bytes of the last run's copy are read again from the master, through this run's opening. An NFS
 * client may have shown pages of zeros, and zeros inside a record's data break no rule. Only if the master's size or
 * mtime changed since: until then the client would show the same pages again.
 */
function secondReadFrom({ master, dat }: Scene, verified: Resume): number {
  const unchanged = dat?.master.size === master.size && dat.master.mtime === master.facts.mtime;
  const copiedFrom = unchanged ? undefined : dat?.copiedFrom;
  const quick = verified.position - QUICK_COMPARE;
  return copiedFrom === undefined ? quick : Math.min(quick, Math.max(copiedFrom, verified.position - SECOND_READ));
}

/**
 * Whether a chunk differs on the two sides in the compared parts: at the head of the file, and from `compareFrom` on.
 */
async function differs(chunk: ChunkLine, compareFrom: number, { master, slave, windows }: Scene): Promise<boolean> {
  const parts = [
    { from: chunk.start, to: Math.min(chunk.end, QUICK_COMPARE) },
    { from: Math.max(chunk.start, compareFrom), to: chunk.end },
  ];
  for (const { from, to } of parts) {
    if (from < to && !(await matchesOnBothSides({ from, to, hash: undefined }, master, slave, windows))) return true;
  }
  return false;
}

/**
 * Whether the master has exactly the slave's transactions in this place: none is missing on either side, none was moved
 * or packed since. Then other bytes in them are no other history, but a change on a disk.
 */
async function hasSameTransactions(chunk: ChunkLine, { master, slave }: Scene): Promise<boolean> {
  const { start, end } = chunk;
  const found = await merge(sourceOf(master, end), sourceOf(slave, end), {
    slaveFrom: start,
    masterFrom: start,
    ownFrom: end,
    pieces: [],
    stopEarly: false,
  });
  if (found.masterStop?.kind === 'broken' || found.slaveStop?.kind === 'broken') return false;
  const { matched, foreign, lacking, dropped, news, moved } = found;
  return matched > 0 && foreign + lacking + dropped + news === 0 && !moved;
}

/**
 * Whether the slave has zeros wherever the two differ, in whole pages, as far as the last run copied them: pages that
 * the master's client did not have yet.
 */
async function arePagesOfZeros(
  chunk: ChunkLine,
  copiedFrom: number,
  master: Readable,
  slave: Readable,
  windows: readonly [Window, Window],
): Promise<boolean> {
  let pages = 0;
  const first = Math.floor(chunk.start / PAGE) * PAGE;
  for await (const piece of sideBySide(first, chunk.end, master, slave, windows)) {
    const { position, length, theirs, ours, difference } = piece;
    if (theirs.length < length || ours.length < length) return false;
    if (difference === undefined) continue;
    for (let from = 0; from < length; from += PAGE) {
      const to = Math.min(from + PAGE, length);
      let different = 0;
      for (let at = Math.max(from, difference); at < to; at++) if (theirs[at] !== ours[at]) different++;
      if (different === 0) continue;
      if (different <= FEW) return false;
      const zeroFrom = Math.max(from, copiedFrom - position, chunk.start - position);
      const zeroTo = Math.min(to, chunk.end - position);
      for (let at = from; at < zeroFrom; at++) if (theirs[at] !== ours[at]) return false;
      for (let at = zeroFrom; at < zeroTo; at++) if (ours[at] !== 0) return false;
      pages++;
    }
  }
  return pages > 0;
}
