import { type BlobNames, BlobNamesCollector, NO_BLOBS } from '../filestorage/blob-names.js';
import type { Stop, WalkWarning } from '../filestorage/stop.js';
import { Walk } from '../filestorage/walk.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Window } from './window.js';

/**
 * Reads, validates and hashes one chunk, and delivers the same bytes that were validated. This one function runs in the
 * workers for long tails and inline for short ones.
 */
export interface ChunkTask {
  /** Where the chunk begins: a transaction boundary (4 for the first). */
  readonly start: number;
  /** Where to continue: a transaction boundary at or after `start`. The hash of [start, from) is in `hashState`. */
  readonly from: number;
  readonly hashState: string;
  /** The chunk ends at the first transaction boundary at or beyond this position. */
  readonly cutAt: number;
  /** The file's size when it was opened. */
  readonly limit: number;
  /** The last tid before `from`. */
  readonly lastTid: bigint;
  /** The hash is not needed: the result has the hash of no bytes. */
  readonly unhashed?: boolean;
  /** The blobs that the chunk's records name are requested. */
  readonly namesBlobs?: boolean;
  /** The end of the transactions that are known to be finished; undefined: nobody writes the file. */
  readonly finishedEnd?: number;
}

/**
 * The facts of a chunk. `end` is the position after the last valid transaction and `hash` the XXH64 of [start, end).
 * The first tid (0 if there is none), transactions and records are those of [from, end).
 */
export interface ChunkFacts extends ChunkLine {
  /** The hash state to continue from. */
  readonly hashState: string;
  readonly stop: Stop;
  readonly warnings: readonly WalkWarning[];
  readonly warningCount: number;
  /** What the records of [from, end) name; nothing unless requested. */
  readonly blobs: BlobNames;
}

/** Reads up to `length` bytes at `position` into the window; fewer only at the end of the file. */
export type ReadInto = (window: Window, length: number, position: number) => number | Promise<number>;

/**
 * Takes the bytes at `position`. Their structure is valid as far as they go. Those after the last complete transaction
 * may have to be taken back when the chunk's `end` is known. The receiver owns them until it returns, and may change
 * them.
 */
export type Deliver = (bytes: Uint8Array, position: number) => void | Promise<void>;

/**
 * So many bytes beyond the place where a chunk is full are read with what is before it. Those of the next chunk among them
 * are read again.
 */
const BEYOND_CUT = 4096;

/** Where to end reading ahead of a chunk's reader. */
export function readAheadEnd({ cutAt }: Pick<ChunkTask, 'cutAt'>): number {
  return cutAt + BEYOND_CUT;
}

/** The end of what the next read should get: not more of the next chunk than necessary. `needed`: bytes before it are. */
export function readsTo(task: Pick<ChunkTask, 'cutAt' | 'limit'>, position: number, needed: number): number {
  const end = position < task.cutAt ? readAheadEnd(task) : needed;
  return end > position ? Math.min(end, task.limit) : task.limit;
}

/**
 * In a file that is being written, bytes of a transaction count only if they were read together with, or after, a
 * status that says it is finished. Bytes read earlier may belong to another transaction that was aborted. So beyond
 * `finishedEnd` a header whose transaction continues in the next window is read again with that window.
 */
export async function readChunk(
  task: ChunkTask,
  window: Window,
  read: ReadInto,
  deliver: Deliver,
  events: WalkEvents = {},
): Promise<ChunkFacts> {
  const blobs = task.namesBlobs ? new BlobNamesCollector() : undefined;
  const walk = new Walk(
    { start: task.from, limit: task.limit, cutAt: task.cutAt, lastTid: task.lastTid, blobs },
    events,
  );
  if (task.from === task.start) window.reset();
  else window.restore(task.hashState, task.from - task.start);
  const { finishedEnd = Number.POSITIVE_INFINITY } = task;
  let mark = window.mark();
  let position = task.from;
  while (walk.stop === undefined) {
    const requested = Math.min(window.size, readsTo(task, position, walk.headerEnd) - position);
    let length = await read(window, requested, position);
    // Fewer bytes than requested: the master cut its file back after its size was read.
    const isLast = length < requested || position + length >= task.limit;
    const boundaryBefore = walk.end;
    walk.feed(window.view, length);
    const begun = walk.headerBegun;
    if (isLast) walk.finish();
    else if (begun > 0 && begun < length && walk.end >= finishedEnd) {
      walk.takeHeaderBack();
      length -= begun;
    }

    const good = walk.end > boundaryBefore ? walk.end - position : 0;
    if (!task.unhashed) window.add(0, good);
    if (good > 0) mark = window.mark();
    // Bytes behind the last complete transaction are hashed only while the walk continues, and taken back if it fails.
    if (walk.stop !== undefined) window.rewind(mark);
    else if (!task.unhashed) window.add(good, length);
    const useful = walk.stop === undefined ? length : good;
    if (useful > 0) await deliver(window.bytes.subarray(0, useful), position);
    position += length;
  }
  return {
    start: task.start,
    end: walk.end,
    firstTid: walk.transactions > 0 ? walk.firstTid : 0n,
    lastTid: walk.lastTid,
    transactions: walk.transactions,
    records: walk.records,
    hash: window.digest(),
    hashState: window.save(),
    stop: walk.stop,
    warnings: walk.warnings,
    warningCount: walk.warningCount,
    blobs: blobs?.names ?? NO_BLOBS,
  };
}
