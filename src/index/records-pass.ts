import type { Stop } from '../filestorage/stop.js';
import type { ChunkFacts } from '../pipeline/chunk.js';
import type { ChunkSource } from '../pipeline/chunk-source.js';
import type { Master } from '../pipeline/master.js';
import type { TapeReader } from '../pipeline/record-tape.js';
import type { Resume } from '../pipeline/resume.js';
import { type ChunkLine, chunkAt } from '../standby/dat.js';

/** Reads records and is told when those of the last transaction do not count. */
export interface RecordReader extends TapeReader {
  /** What was told beyond `end`, the end of the last whole transaction, was a transaction that breaks off. */
  goBackTo(end: number): void;
}

export interface PassEnd {
  /** The end of the last whole transaction, its tid, and the chunks that were read. */
  readonly resume: Resume;
  readonly stop: Stop;
}

/** A chunk whose bytes are not those that were copied; what the pass has read ends before it. */
export interface ChangedChunk {
  readonly changed: ChunkLine;
  readonly resume: Resume;
}

/** Thrown out of a pass at the first chunk that is not what was copied. */
class Changed extends Error {
  constructor(readonly chunk: ChunkLine) {
    super(`the bytes ${chunk.start} to ${chunk.end} are not those that were copied`);
  }
}

/**
 * Reads a file from a transaction boundary on without writing anything: every record and transaction is told in file order,
 * the same for any number of workers. Memory is bounded whatever a transaction holds; what the reader keeps is its own.
 * `file` is any Data.fs that is open; it is not read beyond the size that it had then.
 *
 * @param from where it is in the middle of a copied chunk, the hash state of what is before it has to come along
 * @param copied chunks that were copied, back to back: the very bytes whose records are told are compared with their hashes.
 *   The pass ends at the first one that has others. Damage of the file's structure is returned as what stopped the pass.
 */
export async function passOverRecords(
  file: Master,
  source: ChunkSource,
  from: Resume,
  reader: RecordReader,
  copied: readonly ChunkLine[],
): Promise<PassEnd | ChangedChunk> {
  let resume = from;
  const goBackTo = (end: number): void => reader.goBackTo(end);
  const receiver = { records: reader, unhashed: copied.length === 0, knownChunks: copied, goBackTo };
  try {
    const stop = await source.run(file, from, receiver, async (reached, facts) => {
      const chunk = chunkAt(copied, resume.position);
      if (chunk && !isSame(chunk, facts)) throw new Changed(chunk);
      resume = reached;
    });
    reader.goBackTo(resume.position);
    const short = stop.kind === 'damaged' ? undefined : chunkAt(copied, resume.position);
    return short ? { changed: short, resume } : { resume, stop };
  } catch (error) {
    if (!(error instanceof Changed)) throw error;
    return { changed: error.chunk, resume };
  }
}

function isSame(chunk: ChunkLine, { start, end, hash, stop }: ChunkFacts): boolean {
  // Damage is named by its own place.
  if (stop.kind === 'damaged' && end < chunk.end) return true;
  return start === chunk.start && end === chunk.end && hash === chunk.hash;
}
