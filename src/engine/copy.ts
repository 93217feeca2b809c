import { findBoundary } from '../filestorage/boundary.js';
import { TRAILER_LENGTH } from '../filestorage/layout.js';
import type { Stop } from '../filestorage/stop.js';
import { Walk } from '../filestorage/walk.js';
import type { ChunkFacts } from './chunk.js';
import type { ChunkSource } from './chunk-source.js';
import type { Damage, Resume } from './facts.js';
import { Master } from './master.js';
import { type Patience, pause } from './patience.js';
import type { Window } from './window.js';

/** The master's file was exchanged (packed, restored) while it was read: what was copied belongs to the old one. */
export class Exchanged extends Error {
  override readonly name = 'Exchanged';
  constructor(path: string) {
    super(`${path} was exchanged for another file while it was read`);
  }
}

/** Where the copied bytes go. */
export interface Target {
  /** Takes bytes in order; those of a transaction that breaks off are taken back by `goBackTo`. May change them. */
  write(bytes: Uint8Array, position: number): void;
  goBackTo(end: number): void;
  /** Everything before `resume` is complete; here a batch may be committed. */
  reached(resume: Resume, facts: ChunkFacts, master: Master): Promise<void>;
}

/** What the master has at its end, behind the last transaction that could be copied. */
export type MasterEnd =
  | { readonly kind: 'clean' }
  | { readonly kind: 'in-flight'; readonly position: number }
  | { readonly kind: 'torn'; readonly position: number; readonly size: number }
  | { readonly kind: 'damaged'; readonly damage: Damage };

const LOOKS_AT_A_BAD_TAIL = 4;
const LOOK_PAUSE_MS = 150;

/**
 * Copies the master from `from` to its committed end. A tail that does not validate is looked at again through fresh
 * openings: a network file system may show a new size before the new bytes, and a living master goes on writing.
 * @returns the place that was reached, and the opening of the master that was read last
 */
export async function copy(
  opened: Master,
  source: ChunkSource,
  from: Resume,
  target: Target,
  patience: Patience,
): Promise<{ readonly resume: Resume; readonly end: MasterEnd; readonly master: Master }> {
  let master = opened;
  let resume = from;
  for (let look = 1; ; ) {
    const before = resume.position;
    const stop = await source.run(master, resume, target, (reached, facts) => {
      resume = reached;
      return target.reached(reached, facts, master);
    });
    target.goBackTo(resume.position);
    if (
      stop.kind === 'end' ||
      (stop.kind === 'in-flight' && stop.position + stop.length + TRAILER_LENGTH >= master.size)
    ) {
      return { resume, end: stop.kind === 'end' ? { kind: 'clean' } : stop, master };
    }
    look = resume.position > before ? 1 : look + 1;
    if (look > LOOKS_AT_A_BAD_TAIL)
      return { resume, end: await judgeTail(stop, master, source.window, resume.tid), master };
    await pause(LOOK_PAUSE_MS);
    master = await reopen(master, patience);
  }
}

async function reopen(master: Master, patience: Patience): Promise<Master> {
  const { path, facts } = master;
  master.close();
  const fresh = await Master.open(path, patience);
  if (fresh?.facts.inode === facts.inode && fresh.facts.device === facts.device) return fresh;
  fresh?.close();
  throw new Exchanged(path);
}

/** A bad tail that stays: the end of what was written so far, or damage with valid transactions behind it. */
async function judgeTail(stop: Stop, master: Master, window: Window, lastTid: bigint): Promise<MasterEnd> {
  if (stop.kind === 'damaged') return { kind: 'damaged', damage: stop };
  const behind = await findBehind(stop.position, master, window, lastTid);
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

/** Position of a complete, finished transaction behind a bad one; undefined when there is none in the next window. */
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
