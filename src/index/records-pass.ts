import type { Stop } from '../filestorage/stop.js';
import type { ChunkFacts } from '../pipeline/chunk.js';
import type { ChunkSource } from '../pipeline/chunk-source.js';
import type { Master } from '../pipeline/master.js';
import type { TapeReader } from '../pipeline/record-tape.js';
import type { Resume } from '../pipeline/resume.js';
import { type ChunkLine, chunkAt } from '../standby/dat.js';

/** Receives records, and a call when those of the last transaction do not count. */
export interface RecordReader extends TapeReader {
  /**
   * Records received for bytes beyond `end`, the end of the last complete transaction, belong to one that breaks off.
   */
  goBackTo(end: number): void;
}

export interface PassEnd {
  /** The end of the last complete transaction, its tid, and the chunks that were read. */
  readonly resume: Resume;
  readonly stop: Stop;
}

/** A chunk that does not have the copied bytes. The pass ends before it. */
export interface ChangedChunk {
  readonly changed: ChunkLine;
  readonly resume: Resume;
}

/** Thrown out of a pass at the first chunk that does not have the copied bytes. */
class Changed extends Error {
  constructor(readonly chunk: ChunkLine) {
    super(`the bytes ${chunk.start} to ${chunk.end} are not those that were copied`);
  }
}

/**
 * Reads a file from a transaction boundary on and writes nothing. `reader` receives every record and transaction in
 * file order, the same for any number of workers. Memory is bounded whatever a transaction holds, except for what the
 * reader keeps. `file` is any open Data.fs; it is not read beyond the size that it had when it was opened.
 *
 * @param from in the middle of a copied chunk it must carry the hash state of the chunk's bytes before it
 * @param copied chunks that were copied, back to back: the bytes whose records are passed on are compared with their
 * hashes. The pass ends at the first one that differs. Damage of the file's structure is returned as `stop`.
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
  // Damage is reported with its own position.
  if (stop.kind === 'damaged' && end < chunk.end) return true;
  return start === chunk.start && end === chunk.end && hash === chunk.hash;
}
