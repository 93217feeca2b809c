import { type ChunkLine, chunkAt } from '../standby/dat.js';
import type { Mismatch } from './findings.js';

/** The side that no longer has the copied bytes, by the recorded hashes. */
export type Blame = 'slave' | 'master' | 'unknown';

/** A hash over bytes that are added piece by piece. */
export interface Rehash {
  reset(): void;
  add(bytes: Uint8Array): void;
  digest(): string;
}

export type ReadAt = (into: Uint8Array, position: number) => number | Promise<number>;

const PIECE = 1 << 20;

/**
 * For every place where the two sides differ, the recorded hash of the slave's chunk shows which side changed. If the
 * slave's chunk still matches, the master changed. If it matches with the master's bytes in place of the slave's, the
 * slave changed. If neither matches, or a place has no hash, the side is unknown.
 *
 * @param complete `mismatches` holds all mismatches
 */
export async function blameOf(
  mismatches: readonly Mismatch[],
  complete: boolean,
  chunks: readonly ChunkLine[],
  readSlave: ReadAt,
  readMaster: ReadAt,
  hash: Rehash,
): Promise<Blame> {
  let blame: Blame = 'slave';
  const seen = new Map<ChunkLine, Mismatch[]>();
  for (const mismatch of mismatches) {
    const chunk = chunkAt(chunks, mismatch.transaction);
    if (!chunk) return 'unknown';
    seen.set(chunk, [...(seen.get(chunk) ?? []), mismatch]);
  }
  for (const [chunk, within] of seen) {
    if ((await hashOfChunk(chunk, [], readSlave, readMaster, hash)) === chunk.hash) return 'master';
    // If the master has the chunk in its place as it was copied, whatever differs has changed on the slave.
    if ((await hashOfChunk(chunk, [], readMaster, readMaster, hash)) === chunk.hash) continue;
    const patchable = within.every(({ apart }) => !apart);
    const patched = patchable && (await hashOfChunk(chunk, within, readSlave, readMaster, hash)) === chunk.hash;
    if (!patched) blame = 'unknown';
  }
  return complete ? blame : 'unknown';
}

/** The hash of a slave's chunk, with the master's bytes in place of those that differ. */
async function hashOfChunk(
  chunk: ChunkLine,
  patches: readonly Mismatch[],
  readSlave: ReadAt,
  readMaster: ReadAt,
  hash: Rehash,
): Promise<string> {
  const bytes = new Uint8Array(Math.min(PIECE, chunk.end - chunk.start));
  hash.reset();
  for (let position = chunk.start; position < chunk.end; position += bytes.length) {
    const piece = bytes.subarray(0, Math.min(bytes.length, chunk.end - position));
    if ((await readSlave(piece, position)) < piece.length) return '';
    for (const { slaveAt, masterAt, length } of patches) {
      const from = Math.max(slaveAt, position);
      const to = Math.min(slaveAt + length, position + piece.length);
      if (from >= to) continue;
      const into = piece.subarray(from - position, to - position);
      if ((await readMaster(into, masterAt + from - slaveAt)) < into.length) return '';
    }
    hash.add(piece);
  }
  return hash.digest();
}
