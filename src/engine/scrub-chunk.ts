import type { ChunkLine } from '../standby/dat.js';
import type { Rot } from './facts.js';
import { firstDifference, type Readable, scan, upTo } from './scan.js';
import type { Window } from './window.js';

/** A piece of a chunk, a window at the most, in which the slave differs from the master. */
export interface BadPiece {
  readonly position: number;
  readonly length: number;
  /** XXH64 of the master's bytes. */
  readonly hash: string;
}

/** One chunk on both sides: whether each still has the bytes that were copied. */
export interface ChunkState {
  readonly masterSound: boolean;
  readonly slaveSound: boolean;
  /** The first place where the two differ; undefined: nowhere. */
  readonly firstDifference: number | undefined;
  /** Bounded by the chunk: some 100 bytes a window. */
  readonly pieces: readonly BadPiece[];
}

/** Reads a chunk on both sides, hashes both and notes where they differ. */
export async function examineChunk(
  chunk: ChunkLine,
  master: Readable,
  slave: Readable,
  [theirs, ours]: readonly [Window, Window],
): Promise<ChunkState> {
  const pieces: BadPiece[] = [];
  let first: number | undefined;
  theirs.reset();
  ours.reset();
  for (let position = chunk.start; position < chunk.end; position += theirs.size) {
    const length = Math.min(theirs.size, chunk.end - position);
    const got = await master.read(theirs, length, position);
    const had = await slave.read(ours, length, position);
    const at = firstDifference(theirs.bytes.subarray(0, got), ours.bytes.subarray(0, had));
    if (at !== undefined || got !== had) {
      pieces.push({ position, length, hash: hashOfPiece(theirs, got) });
      first ??= position + (at ?? Math.min(got, had));
    }
    theirs.add(0, got);
    ours.add(0, had);
  }
  return {
    masterSound: theirs.digest() === chunk.hash,
    slaveSound: ours.digest() === chunk.hash,
    firstDifference: first,
    pieces,
  };
}

/** XXH64 of the window's first bytes by themselves; the hash that is under way in it goes on afterwards. */
export function hashOfPiece(window: Window, length: number): string {
  const mark = window.mark();
  window.reset();
  window.add(0, length);
  const hash = window.digest();
  window.rewind(mark);
  return hash;
}

/** Whether the bytes of [from, to) are equal on both sides, and, where they are a whole chunk, have its hash. */
export async function looksSound(
  { from, to, hash }: { readonly from: number; readonly to: number; readonly hash: string | undefined },
  master: Readable,
  slave: Readable,
  [theirs, ours]: readonly [Window, Window],
): Promise<boolean> {
  ours.reset();
  for (let position = from; position < to; position += theirs.size) {
    const length = Math.min(theirs.size, to - position);
    const got = await master.read(theirs, length, position);
    const had = await slave.read(ours, length, position);
    if (got < length || had < length) return false;
    if (firstDifference(theirs.bytes.subarray(0, length), ours.bytes.subarray(0, length)) !== undefined) return false;
    if (hash !== undefined) ours.add(0, length);
  }
  return hash === undefined || ours.digest() === hash;
}

/** What to say of a chunk of the master that is not what was copied. Reads the slave's, to name the transaction. */
export async function describeRot(chunk: ChunkLine, state: ChunkState, slave: Readable, window: Window): Promise<Rot> {
  const at = state.firstDifference;
  const where = `its bytes ${chunk.start} to ${chunk.end} are not those that were copied`;
  const difference =
    at === undefined
      ? ', and the slave has the same ones'
      : `: they differ from the slave's at ${at}${state.slaveSound ? '' : ', and those are wrong as well'}`;
  let place = { position: chunk.start, tid: chunk.firstTid };
  if (at !== undefined && state.slaveSound) {
    await scan(upTo(slave, chunk.end), window, chunk.start, 0n, {
      onTransaction: (position, _length, tid) => {
        if (position <= at) place = { position, tid };
      },
    });
  }
  return { ...place, at: at ?? chunk.start, rule: 'hash', message: where + difference };
}
