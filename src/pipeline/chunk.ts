import type { Stop, WalkWarning } from '../filestorage/stop.js';
import { Walk } from '../filestorage/walk.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import type { ChunkLine } from '../standby/dat.js';
import type { Window } from './window.js';

/**
 * Reads, validates and hashes one chunk, and hands on the very bytes that were validated: the one function that runs in
 * the workers for long tails and inline for short ones.
 */
export interface ChunkTask {
  /** Where the chunk begins: a transaction boundary (4 for the first). */
  readonly start: number;
  /** Where to go on: a transaction boundary at or after `start`; the hash of [start, from) is in `hashState`. */
  readonly from: number;
  readonly hashState: string;
  /** The chunk ends at the first transaction boundary at or beyond this position. */
  readonly cutAt: number;
  /** The file's size as it was seen. */
  readonly limit: number;
  /** The last tid before `from`. */
  readonly lastTid: bigint;
  /** Nobody wants the hash: it is that of nothing. */
  readonly unhashed?: boolean;
  /** The end of the transactions that are known to be finished; undefined: nobody writes the file. */
  readonly finishedEnd?: number;
}

/**
 * What came of it. `end` is the position after the last good transaction and `hash` the XXH64 of [start, end); first tid
 * (0 without any), transactions and records are those of [from, end).
 */
export interface ChunkFacts extends ChunkLine {
  /** The hash state to go on from. */
  readonly hashState: string;
  readonly stop: Stop;
  readonly warnings: readonly WalkWarning[];
  readonly warningCount: number;
}

/** Reads up to `length` bytes at `position` into the window; fewer only at the end of the file. */
export type ReadInto = (window: Window, length: number, position: number) => number | Promise<number>;

/**
 * Takes bytes that stand at `position`. They are structurally good as far as they go; those after the last whole
 * transaction may have to be taken back when the chunk's `end` is known. They are the receiver's only until it returns;
 * it may change them.
 */
export type Deliver = (bytes: Uint8Array, position: number) => void | Promise<void>;

/**
 * Of a file that is being written, bytes of a transaction are believed only when they were read after its status had said
 * that it is finished, or together with it: before, they may be those of another one that was aborted. So beyond
 * `finishedEnd` a header that goes on in the next window is read once more, with that window.
 */
export async function readChunk(
  task: ChunkTask,
  window: Window,
  read: ReadInto,
  deliver: Deliver,
  events: WalkEvents = {},
): Promise<ChunkFacts> {
  const walk = new Walk({ start: task.from, limit: task.limit, cutAt: task.cutAt, lastTid: task.lastTid }, events);
  if (task.from === task.start) window.reset();
  else window.restore(task.hashState, task.from - task.start);
  const { finishedEnd = Number.POSITIVE_INFINITY } = task;
  let mark = window.mark();
  let position = task.from;
  while (walk.stop === undefined) {
    const requested = Math.min(window.size, task.limit - position);
    let length = await read(window, requested, position);
    // Fewer bytes than asked: the master cut its file back after we had seen its size.
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
    // What follows the last whole transaction is hashed only as long as the walk goes on, and taken back if it fails.
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
  };
}
