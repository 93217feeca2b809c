import type { ChunkLine } from '../standby/dat.js';
import type { Rot } from './damage.js';
import { type Readable, scan, upTo } from './scan.js';
import { sideBySide } from './side-by-side.js';
import type { Window } from './window.js';

/** A piece of a chunk, at most a window, in which the slave differs from the master. */
export interface BadPiece {
  readonly position: number;
  readonly length: number;
  /** XXH64 of the master's bytes. */
  readonly hash: string;
}

/** One chunk on both sides: whether each side still has the copied bytes. */
export interface ChunkState {
  readonly masterMatches: boolean;
  readonly slaveMatches: boolean;
  /** The first place where the two differ; undefined: nowhere. */
  readonly firstDifference: number | undefined;
  /** Bounded by the chunk: some 100 bytes per window. */
  readonly pieces: readonly BadPiece[];
}

/** Reads a chunk on both sides, hashes both and records where they differ. */
export async function examineChunk(
  chunk: ChunkLine,
  master: Readable,
  slave: Readable,
  windows: readonly [Window, Window],
): Promise<ChunkState> {
  const [theirs, ours] = windows;
  const pieces: BadPiece[] = [];
  let first: number | undefined;
  theirs.reset();
  ours.reset();
  for await (const piece of sideBySide(chunk.start, chunk.end, master, slave, windows)) {
    const { position, length, difference } = piece;
    const [got, had] = [piece.theirs.length, piece.ours.length];
    if (difference !== undefined || got !== had) {
      pieces.push({ position, length, hash: hashOfPiece(theirs, got) });
      first ??= position + (difference ?? Math.min(got, had));
    }
    theirs.add(0, got);
    ours.add(0, had);
  }
  return {
    masterMatches: theirs.digest() === chunk.hash,
    slaveMatches: ours.digest() === chunk.hash,
    firstDifference: first,
    pieces,
  };
}

/** XXH64 of the window's first bytes alone. The window's running hash is kept. */
export function hashOfPiece(window: Window, length: number): string {
  const mark = window.mark();
  window.reset();
  window.add(0, length);
  const hash = window.digest();
  window.rewind(mark);
  return hash;
}

/** Whether the bytes of [from, to) are equal on both sides and, if they are a complete chunk, have its hash. */
export async function matchesOnBothSides(
  { from, to, hash }: { readonly from: number; readonly to: number; readonly hash: string | undefined },
  master: Readable,
  slave: Readable,
  windows: readonly [Window, Window],
): Promise<boolean> {
  const [, window] = windows;
  window.reset();
  for await (const { length, theirs, ours, difference } of sideBySide(from, to, master, slave, windows)) {
    if (theirs.length < length || ours.length < length || difference !== undefined) return false;
    if (hash !== undefined) window.add(0, length);
  }
  return hash === undefined || window.digest() === hash;
}

/** Describes a chunk of the master that does not have the copied bytes. Reads the slave's, to name the transaction. */
export async function describeRot(chunk: ChunkLine, state: ChunkState, slave: Readable, window: Window): Promise<Rot> {
  const at = state.firstDifference;
  const where = `its bytes ${chunk.start} to ${chunk.end} are not those that were copied`;
  const difference =
    at === undefined
      ? ', and the slave has the same ones'
      : `: they differ from the slave's at ${at}${state.slaveMatches ? '' : ', and those are wrong as well'}`;
  let place = { position: chunk.start, tid: chunk.firstTid };
  if (at !== undefined && state.slaveMatches) {
    await scan(upTo(slave, chunk.end), window, chunk.start, 0n, {
      onTransaction: (position, _length, tid) => {
        if (position <= at) place = { position, tid };
      },
    });
  }
  return { ...place, at: at ?? chunk.start, rule: 'hash', message: where + difference, slaveToo: !state.slaveMatches };
}
