import { BackwardReader, type ByteSource, type FoundTransaction } from './backward.js';
import type { Ending } from './parting.js';
import { recordsOf } from './records.js';

/** Bound on the records that are looked through for the proof. */
const RECORDS_LIMIT = 100_000;

/**
 * Whether a pack has had reason to drop every transaction that the slave has behind `common`: each object that they wrote
 * was written again by one of `packed`, newer transactions of the master's that the pack took in. Where that is so, nothing
 * is lost with them that a pack would have kept. What costs too much to prove counts as not proved.
 */
export async function areSuperseded(
  slave: Ending,
  common: bigint,
  master: ByteSource,
  packed: readonly FoundTransaction[],
): Promise<boolean> {
  const missing = new Set<bigint>();
  for await (const dropped of new BackwardReader(slave.source).from(slave.end)) {
    if (dropped.tid <= common) break;
    for await (const { oid } of recordsOf(slave.source, dropped)) {
      if (missing.size >= RECORDS_LIMIT) return false;
      missing.add(oid);
    }
  }
  let looked = 0;
  for (const transaction of packed) {
    if (missing.size === 0) return true;
    for await (const { oid } of recordsOf(master, transaction)) {
      if (looked++ >= RECORDS_LIMIT) return false;
      missing.delete(oid);
    }
  }
  return missing.size === 0;
}
