import type { ObjectIndex } from '../filestorage/object-index.js';

/** Below every transaction's position: a dropped record for which the master needs no newer one. */
export const HARMLESS = 1;

/** Objects of which a pack left out a record that the slave has, by what the packed part still has of them. */
export interface Ages {
  /** No record at all: garbage, if a pack removed them. */
  readonly gone: number;
  /**
   * Positions on the slave of the newest transactions with a record of those, ascending; undefined: too many to keep.
   */
  readonly goneAt: readonly number[] | undefined;
  /** Those objects; undefined: too many to keep, or oids beyond 2^53. */
  readonly goneOids: Float64Array | undefined;
  /** A newer record, or one of the same transaction. */
  readonly newer: number;
  /** Only an older record: no pack does that. */
  readonly older: number;
  /** Position on the slave of the first transaction of those. */
  readonly oldest: number | undefined;
  /** Only an older record, to which a later record points back: a pack keeps that one. */
  readonly pointedBack: number;
}

const MOST_GONE_AT = 100_000;
const MOST_GONE_OIDS = 2_000_000;

/**
 * Compares, for each object, the newest transaction whose record is missing in the master's packed part with the newest
 * one whose record is there. Both indexes hold positions of transactions on the slave, which rise with time.
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
