import { FINISHED_STATUSES } from '../filestorage/layout.js';
import type { ChunkLine } from '../standby/dat.js';
import { sameMagic } from './compare.js';
import type { Generation, Resume } from './facts.js';
import { damageIn, type Readable, scan, upTo } from './scan.js';
import { describeRot, examineChunk, looksSound } from './scrub-chunk.js';
import { sideBySide } from './side-by-side.js';
import { hashOf, lookAtTrusted, type Scene } from './trusted.js';
import type { Window } from './window.js';

/** How many bytes at the head, and before the claim, are compared to know a file again. */
const GLANCE = 65_536;
/** How much of what the last run has copied is looked at again; the scrub does the rest. */
const SECOND_LOOK = 64 << 20;
/** In no more bytes than these a difference is taken for flipped bits, even if the slave has zeros there. */
const FEW = 8;

/** Row 11: whether the master is still the file that the slave was copied from, and whether its bytes are those that were copied. */
export async function lookAtGeneration(scene: Scene, trusted: Resume): Promise<Generation> {
  const { master, slave, dat, windows } = scene;
  const known = dat?.master;
  const sameFile = known?.device === master.facts.device && known.inode === master.facts.inode;
  const lookFrom = secondLookFrom(scene, trusted);
  // Another file may hold the same bytes: moved to another disk, or mounted anew after a reboot. The chunks tell.
  if (!(await sameMagic(master, slave))) return otherGeneration(scene, sameFile);
  const repairs: ChunkLine[] = [];
  for (const [index, chunk] of trusted.chunks.entries()) {
    // A long file has many chunks, and a glance falls on two of them.
    if (sameFile && chunk.start >= GLANCE && chunk.end <= lookFrom) continue;
    const isSuspect = sameFile
      ? await differs(chunk, lookFrom, scene)
      : (await hashOf(master, chunk, windows[0])) !== chunk.hash;
    if (!isSuspect) continue;
    const state = await examineChunk(chunk, master, slave, windows);
    if (state.masterSound) {
      if (!state.slaveSound) repairs.push(chunk);
      continue;
    }
    if (!(await isAlike(chunk, state.slaveSound ? slave : undefined, scene))) return otherGeneration(scene, sameFile);
    const fresh = sameFile && state.slaveSound && chunk.end > lookFrom;
    if (fresh && (await isZerosOnly(chunk, master, slave, windows))) {
      const from = await lookAtTrusted(scene, trusted.chunks.slice(0, index));
      const problem = `the slave has zeros where the master has other bytes now, in what the last run copied from ${chunk.start} on`;
      return { kind: 'stale', resume: from, problem };
    }
    return { kind: 'damaged', stop: await describeRot(chunk, state, slave, windows[0]) };
  }
  return { kind: 'same', moved: !sameFile, ...(repairs.length > 0 && { repairs }) };
}

/** The same file with other bytes below the claim is exchanged for one that was given the old inode's number, or damaged. */
async function otherGeneration({ master, windows }: Scene, sameFile: boolean): Promise<Generation> {
  const damage = sameFile ? await damageIn(master, windows[0]) : undefined;
  return damage ? { kind: 'damaged', stop: damage } : { kind: 'other' };
}

/**
 * Where what the last run copied is read from the master again, through this run's opening: an NFS client may have shown
 * pages of zeros, and zeros inside a record's data break no rule. Only when the master's size or time of modification is
 * another one since: until then the client would show the same pages again.
 */
function secondLookFrom({ master, dat }: Scene, trusted: Resume): number {
  const unchanged = dat?.master.size === master.size && dat.master.mtime === master.facts.mtime;
  const copiedFrom = unchanged ? undefined : dat?.copiedFrom;
  const glance = trusted.position - GLANCE;
  return copiedFrom === undefined ? glance : Math.min(glance, Math.max(copiedFrom, trusted.position - SECOND_LOOK));
}

/** Whether a chunk differs on the two sides where it is looked at: at the head of the file, and from `lookFrom` on. */
async function differs(chunk: ChunkLine, lookFrom: number, { master, slave, windows }: Scene): Promise<boolean> {
  const parts = [
    { from: chunk.start, to: Math.min(chunk.end, GLANCE) },
    { from: Math.max(chunk.start, lookFrom), to: chunk.end },
  ];
  for (const { from, to } of parts) {
    if (from < to && !(await looksSound({ from, to, hash: undefined }, master, slave, windows))) return true;
  }
  return false;
}

/**
 * Whether the master has the very transactions in this place that were copied: the same tids at the same positions, none
 * of them packed since, or not yet. Then other bytes in them are no other generation, but damage. So is a tid that its own records belie.
 * @param slave undefined: it is wrong as well, and only the chunk's own figures can be compared
 */
async function isAlike(chunk: ChunkLine, slave: Readable | undefined, { master, windows }: Scene): Promise<boolean> {
  const theirs = await outlineOf(master, chunk, windows[0]);
  if (theirs.end !== chunk.end || theirs.records !== chunk.records) return false;
  if (theirs.transactions.length !== chunk.transactions) return false;
  if (!slave) return true;
  const ours = await outlineOf(slave, chunk, windows[0]);
  return ours.transactions.every(({ position, tid, status }, index) => {
    const other = theirs.transactions[index];
    if (other?.position !== position || (other.tid !== tid && !theirs.belied.has(position))) return false;
    // A pack, or a file from before one, is another generation; any other status is damage.
    return other.status === status || !(FINISHED_STATUSES.has(status) && FINISHED_STATUSES.has(other.status));
  });
}

/** A chunk's transactions; of those that the walk has warned of, as many as it keeps. */
async function outlineOf(file: Readable, chunk: ChunkLine, window: Window) {
  const transactions: { readonly position: number; readonly tid: bigint; readonly status: number }[] = [];
  const walk = await scan(upTo(file, chunk.end), window, chunk.start, 0n, {
    onTransaction: (position, _length, tid, status) => transactions.push({ position, tid, status }),
  });
  const stray = walk.warnings.filter(({ rule }) => rule === 'record-tid');
  return {
    end: walk.end,
    records: walk.records,
    transactions,
    belied: new Set(stray.map(({ position }) => position)),
  };
}

/** Whether the slave has zeros wherever the two differ: pages that the master's client did not have yet. */
async function isZerosOnly(
  chunk: ChunkLine,
  master: Readable,
  slave: Readable,
  windows: readonly [Window, Window],
): Promise<boolean> {
  let count = 0;
  for await (const piece of sideBySide(chunk.start, chunk.end, master, slave, windows)) {
    const { length, theirs, ours, difference } = piece;
    if (theirs.length < length || ours.length < length) return false;
    for (let at = difference ?? length; at < length; at++) {
      if (theirs[at] === ours[at]) continue;
      if (ours[at] !== 0) return false;
      count++;
    }
  }
  return count > FEW;
}
