import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH, TRAILER_LENGTH } from '../filestorage/layout.js';
import type { Stop } from '../filestorage/stop.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { guessBoundary } from '../pipeline/guess-boundary.js';
import { headerAt } from '../pipeline/records.js';
import { type Readable, scan, upTo } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';

/** What decides whether a transaction is before the place that is searched. */
export type Belongs = (transaction: { readonly tid: bigint; readonly status: number }) => boolean;

/** Transactions so near to the end are read backwards, by their trailers. */
const NEAR_BYTES = 64 << 20;
/** A piece so short is walked over; a longer one is halved. */
const WALKED_BYTES = 4 << 20;

export interface Walked {
  readonly place: number;
  /** Of the last complete transaction that was read. */
  readonly lastTid: bigint;
  /** What the walk met then. */
  readonly stop: Stop;
}

export interface Search {
  readonly file: Readable;
  /** The end of the file's last finished transaction. */
  readonly end: number;
  readonly window: Window;
  /** Chunks of the file that are known, back to back: their ends are boundaries. */
  readonly chunks?: readonly ChunkLine[];
}

/**
 * The position behind the last transaction that belongs; MAGIC_LENGTH where none does. All transactions that belong are
 * expected before those that do not. The search reads few bytes, wherever the place is: first backwards from the end; then
 * between two chunks of the `.dat`; then it halves the rest at what looks like a transaction. So the caller has to prove the
 * place by a walk that ends there; if it is wrong, `walkToPlace` finds the right one.
 */
export async function findPlace(
  search: Search,
  belongs: Belongs,
  isBefore?: (chunk: ChunkLine) => boolean,
): Promise<number> {
  const { file, end, window, chunks = [] } = search;
  let high = end;
  for await (const found of new BackwardReader(file).from(end)) {
    if (belongs(found)) return found.end;
    high = found.position;
    if (high === MAGIC_LENGTH) return MAGIC_LENGTH;
    if (end - high > NEAR_BYTES) break;
  }
  let low = MAGIC_LENGTH;
  if (isBefore) {
    const last = chunks.findLastIndex(isBefore);
    low = chunks[last]?.start ?? low;
    high = Math.max(low, Math.min(high, chunks[last + 1]?.start ?? high));
  }
  for (let top = high; top - low > WALKED_BYTES; ) {
    const middle = Math.floor((low + top) / 2);
    const guess = await guessBoundary(file, window, middle);
    const header = guess === undefined || guess >= high ? undefined : await headerAt(file, guess);
    if (guess === undefined || !header) top = middle;
    else if (belongs(header)) low = guess;
    else {
      high = guess;
      top = Math.min(top, middle);
    }
  }
  return (await walk(file, low, high, window, belongs)).place;
}

/** As findPlace, but reads all transactions of the file, or those before the one that stops it. */
export function walkToPlace({ file, end, window }: Search, belongs: Belongs): Promise<Walked> {
  return walk(file, MAGIC_LENGTH, end, window, belongs);
}

async function walk(file: Readable, from: number, to: number, window: Window, belongs: Belongs): Promise<Walked> {
  let place = from;
  const { stop, lastTid } = await scan(upTo(file, to), window, from, ZERO_TID, {
    onTransaction: (position, length, tid, status) => {
      if (belongs({ tid, status })) place = position + length + TRAILER_LENGTH;
    },
  });
  return { place, lastTid, stop: stop ?? { kind: 'end', position: to } };
}
