import { Walk } from '../../src/filestorage/walk.js';
import type { WalkEvents, WalkOptions } from '../../src/filestorage/walk-options.js';

/** Window lengths around every field of the format. */
export const WINDOWS: readonly number[] = [1, 2, 3, 7, 22, 23, 24, 41, 42, 43, 64, 1000, Number.POSITIVE_INFINITY];

export interface HowToWalk extends Partial<WalkOptions>, WalkEvents {
  /** Bytes per window; default: everything in one. */
  readonly window?: number;
}

/** Walks over a file in memory as the product walks over one on a disk. */
export function walkOver(bytes: Uint8Array, how: HowToWalk = {}): Walk {
  const { start = 4, limit = bytes.length, cutAt = Number.POSITIVE_INFINITY, lastTid = 0n, blobs } = how;
  const walk = new Walk({ start, limit, cutAt, lastTid, blobs }, how);
  for (let position = start; walk.stop === undefined; ) {
    const length = Math.max(0, Math.min(how.window ?? limit, limit - position, bytes.length - position));
    walk.feed(new DataView(bytes.buffer, bytes.byteOffset + position, length), length);
    position += length;
    if (position >= limit || length === 0) walk.finish();
  }
  return walk;
}

/** All findings of a walk, for comparison. */
export function findings(walk: Walk): object {
  const { end, firstTid, lastTid, transactions, records, stop, warnings, warningCount } = walk;
  return { end, firstTid, lastTid, transactions, records, stop, warnings, warningCount };
}

/** The complete transactions of a file. */
export function transactionsOf(
  bytes: Uint8Array,
): { readonly position: number; readonly end: number; readonly tid: bigint }[] {
  const found: { readonly position: number; readonly end: number; readonly tid: bigint }[] = [];
  walkOver(bytes, {
    onTransaction: (position, length, tid) => found.push({ position, end: position + length + 8, tid }),
  });
  return found;
}
