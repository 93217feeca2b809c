import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { type ChunkLine, chunkAt } from '../standby/dat.js';
import type { ChunkFacts, ChunkTask } from './chunk.js';
import type { Resume } from './resume.js';

/**
 * How a file is divided into chunks. The division depends on the bytes alone, not on the number of runs, batches or
 * workers that copied them: a chunk ends at the first transaction boundary at or beyond the next multiple of the chunk
 * size. The next run continues a chunk that is not full.
 */
export const NOTHING_YET: Resume = { position: MAGIC_LENGTH, tid: ZERO_TID, chunks: [], tailState: '' };

/** Bytes of a chunk, unless --chunk-size sets another size. */
export const DEFAULT_CHUNK_BYTES = 32 << 20;

/** More chunks would make a .dat that takes longer to write than a minute's transactions; 4 TiB in chunks of 32 MiB. */
const MOST_CHUNKS = 131_072;

/** The chunk size for a file of `fileBytes`: the requested one, doubled until there are at most MOST_CHUNKS chunks. */
export function fittingChunkBytes(requested: number, fileBytes: number): number {
  let chunkBytes = requested;
  while (fileBytes / chunkBytes > MOST_CHUNKS) chunkBytes *= 2;
  return chunkBytes;
}

/** Where a chunk that begins at `start` is full. */
export function cutAfter(start: number, chunkBytes: number): number {
  return (Math.floor(start / chunkBytes) + 1) * chunkBytes;
}

/**
 * The next task after `resume`: the rest of its last chunk, or a new chunk.
 *
 * @param copied chunks whose ends are known beforehand, back to back: as far as they go, the file is divided as they
 * are
 */
export function nextTask(
  resume: Resume,
  limit: number,
  chunkBytes: number,
  copied: readonly ChunkLine[] = [],
): ChunkTask {
  const { position, tid, tailState } = resume;
  const known = chunkAt(copied, position);
  const last = resume.chunks.at(-1);
  const open = known ? last?.start === known.start && last : openChunk(last, chunkBytes);
  const start = open ? open.start : position;
  return {
    start,
    from: position,
    hashState: open ? tailState : '',
    cutAt: known ? known.end : cutAfter(start, chunkBytes),
    limit,
    lastTid: tid,
  };
}

function openChunk(last: ChunkLine | undefined, chunkBytes: number): ChunkLine | undefined {
  return last && last.end < cutAfter(last.start, chunkBytes) ? last : undefined;
}

/** `resume` extended by the facts of a chunk; unchanged if the chunk has no complete transaction. */
export function advance(resume: Resume, facts: ChunkFacts): Resume {
  if (facts.transactions === 0) return resume;
  const last = resume.chunks.at(-1);
  const continuesLast = last?.start === facts.start;
  const line: ChunkLine = {
    start: facts.start,
    end: facts.end,
    firstTid: continuesLast ? last.firstTid : facts.firstTid,
    lastTid: facts.lastTid,
    transactions: facts.transactions + (continuesLast ? last.transactions : 0),
    records: facts.records + (continuesLast ? last.records : 0),
    hash: facts.hash,
  };
  const before = continuesLast ? resume.chunks.slice(0, -1) : resume.chunks;
  return { position: facts.end, tid: facts.lastTid, chunks: [...before, line], tailState: facts.hashState };
}
