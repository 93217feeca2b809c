import { MAGIC_LENGTH, STATUS_PACKED } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { BackwardReader, type ByteSource, type FoundTransaction } from './backward.js';
import type { Presence } from './facts.js';
import { type Ending, findParting } from './parting.js';
import { recordsOf } from './records.js';
import { sameTransaction } from './same-transaction.js';
import { type Readable, scan } from './scan.js';
import type { Window } from './window.js';

/** Bound on what is looked through for the proof that a dropped transaction was superseded. */
const OIDS_LIMIT = 100_000;
const PACKED_LIMIT = 10_000;

/**
 * Row 11: whether the slave's last transaction is one of the master's, or was dropped by a pack. tids alone cannot tell a
 * pack from a restored backup in every case, so where a transaction may be gone for good `superseded` is false, and the
 * rebuild keeps the slave's old file.
 */
export async function findPresence(
  slave: Ending,
  master: Ending & { readonly source: Readable },
  window: Window,
): Promise<Presence> {
  const ours = await newest(slave);
  if (!ours) return { kind: 'present' };
  const newer = new Newer();
  const transactions = new BackwardReader(master.source).from(master.end);
  for (let next = await transactions.next(); ; next = await transactions.next()) {
    if (next.done) {
      if (next.value === 'start') return between(slave, ours, master, undefined, newer);
      return lookThroughAll(master.source, ours.tid, window);
    }
    const found = next.value;
    if (found.tid === ours.tid) {
      return { kind: (await sameTransaction(slave.source, ours, master.source, found)) ? 'present' : 'absent' };
    }
    if (found.tid < ours.tid) return between(slave, ours, master, found, newer);
    newer.add(found);
  }
}

/** The master's transactions that are newer than the slave's last one; few are kept, however many there are. */
class Newer {
  oldest: FoundTransaction | undefined;
  /** Those that a pack took in; undefined when they are too many. */
  packed: FoundTransaction[] | undefined = [];

  /** Takes them newest first. */
  add(found: FoundTransaction): void {
    this.oldest = found;
    if (found.status === STATUS_PACKED) this.packed?.push(found);
    if ((this.packed?.length ?? 0) > PACKED_LIMIT) this.packed = undefined;
  }
}

async function newest({ source, end }: Ending): Promise<FoundTransaction | undefined> {
  const first = await new BackwardReader(source).from(end).next();
  return first.done ? undefined : first.value;
}

/**
 * The slave's last transaction is none of the master's and lies between two of them, or behind the last. A pack of this
 * very site leaves something that both have: without it, the master is another site's.
 */
async function between(
  slave: Ending,
  ours: FoundTransaction,
  master: Ending,
  older: FoundTransaction | undefined,
  newer: Newer,
): Promise<Presence> {
  const next = newer.oldest;
  const packed = next
    ? next.status === STATUS_PACKED || older?.status === STATUS_PACKED
    : older?.status === STATUS_PACKED && (await wasPackedSince(slave, older));
  if (!packed || (await findParting(slave, master)).common === undefined) return { kind: 'absent' };
  return { kind: 'packed-span', superseded: await isSuperseded(slave.source, ours, master.source, newer.packed) };
}

/** Whether the master's transaction, packed there, is on the slave as it was before: the pack came after the last sync. */
async function wasPackedSince(slave: Ending, packed: FoundTransaction): Promise<boolean> {
  for await (const found of new BackwardReader(slave.source).from(slave.end)) {
    if (found.tid < packed.tid) return false;
    if (found.tid === packed.tid)
      return found.status !== STATUS_PACKED || found.end - found.position > packed.end - packed.position;
  }
  return false;
}

/**
 * Whether a pack has had reason to drop all of a transaction: each of its objects was written again by a newer
 * transaction that the pack took in. Where that is so, nothing is lost with it that a pack would have kept.
 */
async function isSuperseded(
  slave: ByteSource,
  dropped: FoundTransaction,
  master: ByteSource,
  newer: readonly FoundTransaction[] | undefined,
): Promise<boolean> {
  if (newer === undefined) return false;
  const missing = new Set<bigint>();
  for await (const { oid } of recordsOf(slave, dropped)) {
    if (missing.size >= OIDS_LIMIT) return false;
    missing.add(oid);
  }
  let looked = 0;
  for (const transaction of newer) {
    if (missing.size === 0) return true;
    for await (const { oid } of recordsOf(master, transaction)) {
      if (looked++ >= OIDS_LIMIT) return false;
      missing.delete(oid);
    }
  }
  return missing.size === 0;
}

/** The same from the front, where the master's end does not let itself be read backwards. */
async function lookThroughAll(master: Readable, tid: bigint, window: Window): Promise<Presence> {
  let present = false;
  let olderPacked = false;
  let newer = false;
  const walk = await scan(master, window, MAGIC_LENGTH, ZERO_TID, {
    onTransaction: (_position, _length, at, status) => {
      if (at === tid) present = true;
      else if (at < tid) olderPacked = status === STATUS_PACKED;
      else newer = true;
    },
  });
  if (present) return { kind: 'present' };
  if (walk.stop?.kind === 'damaged') return { kind: 'damaged', stop: walk.stop };
  return newer && olderPacked ? { kind: 'packed-span', superseded: false } : { kind: 'absent' };
}
