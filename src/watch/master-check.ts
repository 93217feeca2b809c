import { readTransactionHeader, STATUS_IN_FLIGHT, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { tidToTime } from '../filestorage/tid.js';
import { type FileFacts, factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';

/** Where the last round has left the slave, and how the master was then. */
export interface KnownState {
  readonly masterPath: string;
  /** Position up to which the slave has the master's transactions. */
  readonly claim: number;
}

export type Checked =
  /** Nothing is new: no transaction has been finished behind the claim. */
  | { readonly kind: 'same' }
  /** What follows the claim could not be copied by the last round, and has not changed since. */
  | { readonly kind: 'torn' }
  /** Only a round can tell. */
  | { readonly kind: 'changed' }
  /** A transaction was finished behind the claim; `since`: its time, in milliseconds; undefined where it has none. */
  | { readonly kind: 'behind'; readonly since: number | undefined };

/**
 * Checks the master for anything new, without a lock, and without reading a byte below the claim: opens it afresh, and reads
 * the one header that would follow the claim.
 *
 * What it remembers: a master whose tail a round could not copy (torn) is not `behind` again until it changes. Only a
 * tail that was not in flight is remembered, because the flip of one byte changes neither size nor, within a clock tick,
 * mtime.
 */
export class MasterCheck {
  private before: Seen | undefined;

  /** Forgets the master: the next check finds it changed. */
  forget(): void {
    this.before = undefined;
  }

  /** Throws the fault of a read that was given up; every other fault is for the round to report. */
  async check({ masterPath, claim }: KnownState, deadline: ReadDeadline): Promise<Checked> {
    let master: Master | undefined;
    try {
      const role = identityOf(await deadline.wait(factsBehindPath(`${masterPath}.role`), 'stat', `${masterPath}.role`));
      master = await Master.openOnce(masterPath, deadline);
      if (!master) return { kind: 'changed' };
      const { before } = this;
      const { facts } = master;
      const header = facts.size > claim ? await headerAt(claim, master) : undefined;
      const seen: Seen = { role, facts, claim, isInFlight: header?.status === STATUS_IN_FLIGHT };
      this.before = seen;
      if (!before || before.role !== role || !isSameFile(before.facts, facts) || facts.size < claim)
        return { kind: 'changed' };
      if (facts.size === claim || seen.isInFlight) return { kind: 'same' };
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
}

function isSameFile(one: FileFacts, other: FileFacts): boolean {
  return one.device === other.device && one.inode === other.inode;
}

/** The round after the check before has not come further, and the master has not changed. */
function isTornAsBefore(before: Seen, now: Seen): boolean {
  const isUnchanged = before.facts.size === now.facts.size && before.facts.mtime === now.facts.mtime;
  return isUnchanged && before.claim === now.claim && !before.isInFlight;
}

async function headerAt(position: number, master: Master) {
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await master.readBytes(bytes, position)) < bytes.length) return undefined;
  return readTransactionHeader(new DataView(bytes.buffer), 0);
}

function identityOf(facts: FileFacts | undefined): string {
  return facts ? `${facts.inode} ${facts.size} ${facts.mtime}` : 'none';
}
