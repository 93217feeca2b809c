import { BackwardReader } from '../filestorage/backward.js';
import { findBoundary } from '../filestorage/boundary.js';
import { STATUS_IN_FLIGHT, TRAILER_LENGTH } from '../filestorage/layout.js';
import type { Stop } from '../filestorage/stop.js';
import { Walk } from '../filestorage/walk.js';
import type { Dat, TornTail } from '../standby/dat.js';
import type { Damage, Rot } from './damage.js';
import type { Master } from './master.js';
import { recordsStart } from './records.js';
import type { Resume } from './resume.js';
import type { Window } from './window.js';

/** What the master has behind the last transaction that could be copied. */
export type MasterEnd =
  | { readonly kind: 'clean' }
  | { readonly kind: 'in-flight'; readonly position: number }
  | { readonly kind: 'torn'; readonly position: number; readonly size: number }
  | { readonly kind: 'damaged'; readonly damage: Damage | Rot };

/** Whether the master ends in the transaction in flight at `position`, and in nothing else. */
export async function isPlainlyInFlight(
  { position, length }: { readonly position: number; readonly length: number },
  master: Master,
): Promise<boolean> {
  if (position + length + TRAILER_LENGTH < master.size) return false;
  return (await completeTransactionAtEnd(position, master)) === undefined;
}

/**
 * Position of a complete, finished transaction that ends the file behind the place where the walk stopped. It proves
 * that this place is not the end, whatever lies between. A transaction without records proves nothing: any data may
 * look like one.
 */
async function completeTransactionAtEnd(stoppedAt: number, master: Master): Promise<number | undefined> {
  const found = await new BackwardReader(master).endingAt(master.size);
  if (!found || found.status === STATUS_IN_FLIGHT || found.position <= stoppedAt) return undefined;
  return recordsStart(found) + TRAILER_LENGTH < found.end ? found.position : undefined;
}

/** Judges a bad tail that stays: the end of what was written so far, or damage with valid transactions behind it. */
export async function judgeTail(stop: Stop, master: Master, window: Window, lastTid: bigint): Promise<MasterEnd> {
  if (stop.kind === 'damaged') return { kind: 'damaged', damage: stop };
  const behind =
    (await findBehind(stop.position, master, window, lastTid)) ??
    (await completeTransactionAtEnd(stop.position, master));
  if (behind !== undefined) {
    const what = stop.kind === 'in-flight' ? 'is marked as in flight (c)' : 'has a length beyond the end of the file';
    const message = `a transaction ${what}, but valid transactions follow at ${behind}`;
    const rule = stop.kind === 'in-flight' ? 'status' : 'transaction-length';
    return {
      kind: 'damaged',
      damage: {
        kind: 'damaged',
        position: stop.position,
        at: stop.position + (rule === 'status' ? 16 : 8),
        tid: 0n,
        rule,
        message,
      },
    };
  }
  if (stop.kind === 'in-flight') return stop;
  return { kind: 'torn', position: stop.position, size: master.size };
}

/** Position of a complete, finished transaction behind a bad one; undefined if there is none in the next window. */
async function findBehind(bad: number, master: Master, window: Window, lastTid: bigint): Promise<number | undefined> {
  const length = await master.read(window, Math.min(window.size, master.size - bad), bad);
  const copyOfWindow = new DataView(window.bytes.slice(0, length).buffer);
  for (let offset = 1; offset < length; offset++) {
    const rest = new DataView(copyOfWindow.buffer, offset, length - offset);
    const found = findBoundary(rest, rest.byteLength, bad + offset, master.size);
    if (found === undefined) return undefined;
    const walk = new Walk({ start: found, limit: bad + length, cutAt: found + 1, lastTid });
    walk.feed(new DataView(copyOfWindow.buffer, found - bad), length - (found - bad));
    if (walk.transactions > 0 && walk.firstTid > lastTid) return found;
    offset = found - bad;
  }
  return undefined;
}

/** Runs after which an unchanged torn tail counts as damage. */
const TORN_RUNS = 3;

/** Counts the runs, this one included, in which the master ended in this torn tail. */
export function countTorn(end: { readonly position: number; readonly size: number }, dat: Dat | undefined): TornTail {
  const before = dat?.torn;
  const same = before?.position === end.position && before.size === end.size;
  return { position: end.position, size: end.size, runs: same ? Math.min(before.runs + 1, TORN_RUNS) : 1 };
}

/** The damage at the master's end; undefined: none. */
export function damageOf(end: MasterEnd, torn: TornTail | undefined, resume: Resume): Damage | Rot | undefined {
  if (end.kind === 'damaged') return end.damage;
  if (!torn || torn.runs < TORN_RUNS) return undefined;
  const message = `the transaction that begins here is not complete, and has not changed for ${torn.runs} runs`;
  return {
    kind: 'damaged',
    position: torn.position,
    at: torn.position,
    tid: resume.tid,
    rule: 'transaction-length',
    message,
  };
}
