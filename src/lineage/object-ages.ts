import type { ObjectIndex } from '../filestorage/object-index.js';

/** Below every transaction's position: of a dropped record that the master need not have a newer one for. */
export const HARMLESS = 1;

/** Objects of which a pack has left out a record that the slave has, by what the packed part still has of them. */
export interface Ages {
  /** No record at all: they were garbage, if a pack has done it. */
  readonly gone: number;
  /** Positions on the slave of the newest transactions that have a record of those, ascending; undefined: too many to keep. */
  readonly goneAt: readonly number[] | undefined;
  /** Those objects; undefined: too many to keep, or with oids beyond 2^53. */
  readonly goneOids: Float64Array | undefined;
  /** A newer one, or the same transaction's. */
  readonly newer: number;
  /** Only an older one: no pack does that. */
  readonly older: number;
  /** Position on the slave of the first transaction of those. */
  readonly oldest: number | undefined;
  /** Only an older one, and a later record points back to it: a pack keeps that one then. */
  readonly pointedBack: number;
}

const MOST_GONE_AT = 100_000;
const MOST_GONE_OIDS = 2_000_000;

/**
 * Compares for each object the newest transaction of which the master's packed part lacks the record with the newest one that
 * it has. Both indexes hold the slave's positions of transactions, which rise with time.
 */
export function agesOf(dropped: ObjectIndex, kept: ObjectIndex, pointedBackTo: ReadonlySet<number>): Ages {
  let gone = 0;
  const goneAt = new Set<number>();
  const goneOids: number[] = [];
  let newer = 0;
  let older = 0;
  let pointedBack = 0;
  let oldest: number | undefined;
  for (const bucket of dropped.buckets()) {
    for (let n = 0; n < bucket.size; n++) {
      const low = ((bucket.middle << 16) | (bucket.suffixes[n] ?? 0)) >>> 0;
      const last = bucket.position(n);
      const has = kept.get(bucket.high, low);
      if (has === 0) {
        gone++;
        if (goneOids.length <= MOST_GONE_OIDS) goneOids.push(bucket.high * 0x1_0000_0000 + low);
        if (last > HARMLESS && goneAt.size <= MOST_GONE_AT) goneAt.add(last);
      } else if (has >= last) newer++;
      else if (pointedBackTo.has(bucket.high * 0x1_0000_0000 + low)) pointedBack++;
      else {
        older++;
        oldest = Math.min(oldest ?? last, last);
      }
    }
  }
  const all = goneAt.size <= MOST_GONE_AT ? [...goneAt].sort((a, b) => a - b) : undefined;
  const areKept = goneOids.length <= MOST_GONE_OIDS && goneOids.every(Number.isSafeInteger);
  return {
    gone,
    goneAt: all,
    goneOids: areKept ? Float64Array.from(goneOids) : undefined,
    newer,
    older,
    oldest,
    pointedBack,
  };
}
