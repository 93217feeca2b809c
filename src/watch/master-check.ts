import {
  MAGIC_LENGTH,
  readPosition,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
  type TransactionHeader,
} from '../filestorage/layout.js';
import { formatTid, tidToTime } from '../filestorage/tid.js';
import { type FileFacts, factsBehindPath, stateOf } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';

/** Where the last round has left the slave, and how the master was then. */
export interface KnownState {
  readonly masterPath: string;
  /** Position up to which the slave has the master's transactions. */
  readonly claim: number;
  /** Tid of the last of them. */
  readonly lastTid: string;
}

export type Checked =
  /** Nothing is new: no transaction has been finished behind the claim. */
  | { readonly kind: 'same' }
  /** What follows the claim could not be copied by the last round, and has not changed since. */
  | { readonly kind: 'torn' }
  /** Only a round finds out. */
  | { readonly kind: 'changed' }
  /** A transaction was finished behind the claim; `since`: its time, in milliseconds; undefined where it has none. */
  | { readonly kind: 'behind'; readonly since: number | undefined };

/**
 * Checks the master for anything new, without a lock: opens it afresh, and reads the one header that would follow the
 * claim, and the last one before it. A master that was cut off or restored in place has another transaction there, even if
 * its inode and its size are what they were.
 *
 * What it remembers: a master whose tail a round could not copy (torn) is not `behind` again until it changes, the header
 * included. Only a tail that was not in flight is remembered, because the flip of one byte changes neither size nor,
 * within a clock tick, mtime.
 */
export class MasterCheck {
  private before: Seen | undefined;

  /** Forgets the master: the next check finds it changed. */
  forget(): void {
    this.before = undefined;
  }

  /** Throws the fault of a read that was given up; every other fault is for the round to report. */
  async check(known: KnownState, deadline: ReadDeadline): Promise<Checked> {
    const { masterPath, claim } = known;
    let master: Master | undefined;
    try {
      const role = stateOf(await deadline.wait(factsBehindPath(`${masterPath}.role`), 'stat', `${masterPath}.role`));
      master = await Master.openOnce(masterPath, deadline);
      if (!master) return { kind: 'changed' };
      const { before } = this;
      const { facts } = master;
      const header = facts.size > claim ? await headerAt(claim, master) : undefined;
      const isInFlight = header?.status === STATUS_IN_FLIGHT;
      const seen: Seen = { role, facts, claim, isInFlight, next: header && identityOfHeader(header) };
      this.before = seen;
      if (!before || before.role !== role || !isSameFile(before.facts, facts) || facts.size < claim)
        return { kind: 'changed' };
      if (!(await hasLast(known, master))) return { kind: 'changed' };
      if (facts.size === claim || isInFlight) return { kind: 'same' };
      if (isTornAsBefore(before, seen)) return { kind: 'torn' };
      return { kind: 'behind', since: header && tidToTime(header.tid) };
    } catch (error) {
      if (!(error instanceof IoFault) || error.code === 'ETIMEDOUT') throw error;
      return { kind: 'changed' };
    } finally {
      master?.close();
    }
  }
}

interface Seen {
  readonly role: string;
  readonly facts: FileFacts;
  readonly claim: number;
  readonly isInFlight: boolean;
  /** The header that follows the claim. */
  readonly next: string | undefined;
}

function isSameFile(one: FileFacts, other: FileFacts): boolean {
  return one.device === other.device && one.inode === other.inode;
}

/** The round after the check before has not come further, and the master has not changed. */
function isTornAsBefore(before: Seen, now: Seen): boolean {
  const isUnchanged = before.facts.size === now.facts.size && before.facts.mtime === now.facts.mtime;
  return isUnchanged && before.claim === now.claim && before.next === now.next && !before.isInFlight;
}

function identityOfHeader({ tid, length, status }: TransactionHeader): string {
  return `${tid} ${length} ${status}`;
}

/** Whether the master has the slave's last transaction where the slave has it. */
async function hasLast({ claim, lastTid }: KnownState, master: Master): Promise<boolean> {
  if (claim <= MAGIC_LENGTH) return true;
  const trailer = new Uint8Array(TRAILER_LENGTH);
  const at = claim - TRAILER_LENGTH;
  if ((await master.readBytes(trailer, at)) < trailer.length) return false;
  const position = at - readPosition(new DataView(trailer.buffer), 0);
  const header = position < MAGIC_LENGTH ? undefined : await headerAt(position, master);
  return header !== undefined && formatTid(header.tid) === lastTid;
}

async function headerAt(position: number, master: Master) {
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await master.readBytes(bytes, position)) < bytes.length) return undefined;
  return readTransactionHeader(new DataView(bytes.buffer), 0);
}
