import type { Stop } from '../filestorage/stop.js';
import type { ChunkLine } from '../standby/dat.js';
import { type ChunkFacts, type ChunkTask, readAheadEnd, readChunk } from './chunk.js';
import { advance, nextTask } from './chunk-table.js';
import type { Master } from './master.js';
import { RecordTape, type TapeReader } from './record-tape.js';
import type { Resume } from './resume.js';
import type { Window } from './window.js';

/** Bytes of records that are collected before they are passed on. */
const TAPE_BYTES = 1 << 18;

/** Requests what of the chunks is read: their bytes, their records, or both. */
export interface Receiver {
  /** Takes bytes in order and may change them. `goBackTo` takes back those of a transaction that breaks off. */
  write?(bytes: Uint8Array, position: number): void;
  /** Receives the records in file order. `goBackTo` follows when a transaction breaks off. */
  readonly records?: TapeReader | undefined;
  /** The blobs that the records name are needed. */
  readonly namesBlobs?: boolean;
  /** The hashes of the chunks are not needed. */
  readonly unhashed?: boolean;
  /** Chunks of the file that are known beforehand, back to back. As far as they go, the file is divided as they are. */
  readonly knownChunks?: readonly ChunkLine[];
  /** Bytes and records delivered beyond `end`, the end of the last complete transaction, do not count. */
  goBackTo(end: number): void;
}

/** Called in order, when everything before `resume` has been delivered and is complete. */
export type OnReached = (resume: Resume, facts: ChunkFacts) => Promise<void>;

/** Reads a master's chunks from a place on, delivers their bytes in order, and returns what stopped it. */
export interface ChunkSource {
  /** For probes by the caller while `run` is not active. */
  readonly window: Window;
  run(master: Master, from: Resume, target: Receiver, onReached: OnReached): Promise<Stop>;
  /** Ends its threads, if it has any. */
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly chunkBytes: number;
  readonly onProgress: (position: number, size: number) => void;
}

/** Reads in this thread, chunk after chunk: for short tails, where starting workers costs more than it saves. */
export class InlineSource implements ChunkSource {
  constructor(
    readonly window: Window,
    private readonly options: SourceOptions,
  ) {}

  async run(master: Master, from: Resume, target: Receiver, onReached: OnReached): Promise<Stop> {
    const { chunkBytes, onProgress } = this.options;
    const { records } = target;
    const tape = records && new RecordTape(TAPE_BYTES, (piece) => records.take(piece));
    let resume = from;
    for (;;) {
      const next = nextTask(resume, master.size, chunkBytes, target.knownChunks);
      const finishedEnd = await finishedEndFor(next, master, this.window);
      const task = { ...next, unhashed: target.unhashed === true, namesBlobs: target.namesBlobs === true, finishedEnd };
      const deliver = (bytes: Uint8Array, position: number): void => {
        target.write?.(bytes, position);
        onProgress(position + bytes.length, master.size);
      };
      master.expect(task.from, readAheadEnd(task));
      const facts = await readChunk(task, this.window, master.read, deliver, tape?.events);
      master.expect(facts.end);
      tape?.flush();
      if (facts.transactions > 0) {
        resume = advance(resume, facts);
        target.goBackTo(resume.position);
        await onReached(resume, facts);
      }
      if (facts.stop.kind !== 'cut') return facts.stop;
    }
  }

  async close(): Promise<void> {}
}

/**
 * As far as the chunk may need it. A window that reaches to the file's end needs none: it reads each header before what
 * follows it.
 */
async function finishedEndFor({ from, cutAt, limit }: ChunkTask, master: Master, window: Window): Promise<number> {
  return limit - from <= window.size ? 0 : master.finishedEnd(cutAt + window.size);
}
