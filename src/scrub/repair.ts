import { IoFault } from '../io/fault.js';
import type { OpenFile } from '../io/open-file.js';
import { type ChunkState, hashOfPiece } from '../pipeline/chunk-sides.js';
import type { Readable } from '../pipeline/scan.js';
import { hashOf } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';

/** Unit of rewriting, in bytes. */
const BLOCK = 4096;

/**
 * Restores the copied bytes of a slave's chunk, from a master that still has them.
 *
 * Invariants:
 *  - Only blocks that differ are written, and only bytes that are part of the chunk's recorded hash. Each window is
 *    hashed again before it is written; a master that has changed since the chunk was examined ends the repair.
 *  - After a crash in the middle each sector is the wrong one or the right one: the slave is never worse than it was.
 *  - After the return the chunk reads back with its hash. The caller makes it durable.
 * @param readBack the same slave, for reading
 * @returns the number of bytes written
 */
export async function repairChunk(
  chunk: ChunkLine,
  { pieces }: ChunkState,
  master: Readable,
  slave: OpenFile,
  readBack: Readable,
  [theirs, ours]: readonly [Window, Window],
): Promise<number> {
  let written = 0;
  for (const { position, length, hash } of pieces) {
    const got = await master.read(theirs, length, position);
    if (got < length || hashOfPiece(theirs, length) !== hash) {
      throw new IoFault('read', master.path, 'ESTALE', 'the master changed while the slave was repaired', position);
    }
    const had = await readBack.read(ours, length, position);
    for (const [from, to] of differingBlocks(theirs.bytes.subarray(0, length), ours.bytes.subarray(0, had), position)) {
      slave.write(theirs.bytes.subarray(from, to), position + from);
      written += to - from;
    }
  }
  if ((await hashOf(readBack, chunk, ours)) !== chunk.hash) {
    const detail = `the bytes up to ${chunk.end} were repaired, and do not read back as they were written`;
    throw new IoFault('write', slave.path, 'ELOST', detail, chunk.start);
  }
  return written;
}

/** Runs of blocks of the file in which two windows that begin at `position` differ, as [from, to) offsets. */
function differingBlocks(right: Uint8Array, wrong: Uint8Array, position: number): [number, number][] {
  const runs: [number, number][] = [];
  for (let from = 0; from < right.length; ) {
    const to = Math.min(right.length, from + BLOCK - ((position + from) % BLOCK));
    if (Buffer.compare(right.subarray(from, to), wrong.subarray(from, to)) !== 0) {
      const last = runs.at(-1);
      if (last?.[1] === from) last[1] = to;
      else runs.push([from, to]);
    }
    from = to;
  }
  return runs;
}
