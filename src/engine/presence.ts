import { STATUS_PACKED } from '../filestorage/layout.js';
import { BackwardReader, type FoundTransaction } from './backward.js';
import type { Presence } from './facts.js';
import { type Ending, findParting } from './parting.js';
import { sameTransaction } from './same-transaction.js';
import { damageIn, type Readable } from './scan.js';
import { areSuperseded } from './superseded.js';
import type { Window } from './window.js';

const PACKED_LIMIT = 10_000;

/**
 * Whether the slave's last transaction is one of the master's, or was dropped by a pack. tids alone cannot tell a pack from
 * a restored backup in every case, so where a transaction may be gone for good `superseded` is false, and the rebuild keeps
 * the slave's old file.
 */
export async function findPresence(
  slave: Ending,
  master: Ending & { readonly source: Readable },
  window: Window,
): Promise<Presence> {
  const ours = await newest(slave);
  if (!ours) return { kind: 'present', newest: 0n };
  const newer = new Newer();
  const transactions = new BackwardReader(master.source).from(master.end);
  for (let next = await transactions.next(); ; next = await transactions.next()) {
    if (next.done) {
      if (next.value === 'start') return between(slave, ours, master, undefined, newer);
      return whyBroken(master.source, window);
    }
    const found = next.value;
    if (found.tid === ours.tid) {
      const same = await sameTransaction(slave.source, ours, master.source, found);
      return same ? { kind: 'present', newest: ours.tid } : { kind: 'absent' };
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
  if (!packed) return { kind: 'absent' };
  const { common } = await findParting(slave, master);
  if (common === undefined) return { kind: 'absent' };
  const superseded = newer.packed !== undefined && (await areSuperseded(slave, common, master.source, newer.packed));
  return { kind: 'packed-span', newest: ours.tid, common, superseded };
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

/** The master's transactions could not be read backwards: damage, as a rule. What else it may be is no reason to copy it. */
async function whyBroken(master: Readable, window: Window): Promise<Presence> {
  const stop = await damageIn(master, window);
  return stop ? { kind: 'damaged', stop } : { kind: 'absent' };
}
