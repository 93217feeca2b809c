import type { Stop } from '../filestorage/stop.js';
import type { ChunkFacts } from './chunk.js';
import type { ChunkSource } from './chunk-source.js';
import type { Resume } from './facts.js';
import type { Master } from './master.js';
import type { TapeReader } from './record-tape.js';

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

export interface PassOptions {
  /** Whether the chunks' hashes are wanted; without them a pass is faster. */
  readonly hashed: boolean;
  readonly onChunk?: (facts: ChunkFacts) => void;
}

/**
 * Reads a file from a transaction boundary on without writing anything: every record and transaction is told in file order,
 * the same for any number of workers. Memory is bounded whatever a transaction holds; what the reader keeps is its own.
 * `file` is any Data.fs that is open; it is not read beyond the size that it had then.
 */
export async function passOverRecords(
  file: Master,
  source: ChunkSource,
  from: Resume,
  reader: RecordReader,
  options: PassOptions,
): Promise<PassEnd> {
  let resume = from;
  const receiver = { records: reader, unhashed: !options.hashed, goBackTo: (end: number) => reader.goBackTo(end) };
  const stop = await source.run(file, from, receiver, async (reached, facts) => {
    resume = reached;
    options.onChunk?.(facts);
  });
  reader.goBackTo(resume.position);
  return { resume, stop };
}
