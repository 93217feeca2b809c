import {
  MAGIC_LENGTH,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  STATUS_PACKED,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { BackwardReader, type FoundTransaction } from './backward.js';
import { NOTHING_YET } from './chunk-table.js';
import { compare, sameMagic } from './compare.js';
import type { Comparison, Damage, Facts, Generation, Look, Parting, Presence, Resume } from './facts.js';
import type { Master } from './master.js';
import { findParting } from './parting.js';
import { firstDifference, type Readable, readableEnd, scan } from './scan.js';
import type { Window } from './window.js';

/** What the looks look at. The slave is there and at least as long as a magic. */
export interface Scene {
  readonly master: Master;
  readonly slave: Readable;
  /** A usable `.dat` that describes this very slave file. */
  readonly dat: Dat | undefined;
  readonly chunkBytes: number;
  readonly windows: readonly [Window, Window];
}

/** How many bytes at the head, and before the claim, are compared to know a file again. */
const GLANCE = 65_536;

/** Takes the one look that the decision asks for, and adds its answer to the facts. */
export async function take(look: Look, facts: Facts, scene: Scene): Promise<Facts> {
  switch (look) {
    case 'trusted':
      return { ...facts, trusted: await lookAtTrusted(scene) };
    case 'beyond':
      return { ...facts, beyond: await lookAtComparison(scene, facts.trusted ?? NOTHING_YET) };
    case 'comparison':
      return { ...facts, comparison: await lookAtComparison(scene, NOTHING_YET) };
    case 'generation':
      return { ...facts, generation: await lookAtGeneration(scene, facts.trusted ?? NOTHING_YET) };
    case 'presence':
      return { ...facts, presence: await lookAtPresence(scene, facts.trusted?.tid ?? NOTHING_YET.tid) };
    case 'parting':
      return { ...facts, parting: await lookAtParting(scene, facts) };
    case 'news':
      return { ...facts, news: await lookAtNews(scene.master, facts.trusted?.position ?? MAGIC_LENGTH) };
  }
}

/** Row 10: the longest run of the slave's chunks whose last one is there and matches its checksum. */
async function lookAtTrusted(scene: Scene): Promise<Resume & { readonly problem?: string }> {
  const { slave, dat } = scene;
  const claim = dat?.claim.position ?? MAGIC_LENGTH;
  const chunks = [...(dat?.chunks ?? [])];
  let problem: string | undefined;
  for (let last = chunks.at(-1); last; last = chunks.at(-1)) {
    if (last.end > slave.size) problem ??= `the slave has ${slave.size} bytes, ${claim} are claimed`;
    else if ((await hashOf(slave, last, scene.windows[0])) !== last.hash) {
      problem ??= `the slave's bytes ${last.start} to ${last.end} do not match their checksum`;
    } else {
      const tailState = scene.windows[0].save();
      return { position: last.end, tid: last.lastTid, chunks, tailState, ...(problem && { problem }) };
    }
    chunks.pop();
  }
  return { ...NOTHING_YET, ...(problem && { problem }) };
}

/** XXH64 of a chunk's bytes as they are now; '' when they are not all there. Leaves the hash state in the window. */
async function hashOf(file: Readable, chunk: ChunkLine, window: Window): Promise<string> {
  window.reset();
  for (let position = chunk.start; position < chunk.end; ) {
    const wanted = Math.min(window.size, chunk.end - position);
    const length = await file.read(window, wanted, position);
    if (length < wanted) return '';
    window.add(0, length);
    position += length;
  }
  return window.digest();
}

async function lookAtComparison(scene: Scene, from: Resume): Promise<Comparison> {
  const { master, slave, chunkBytes, windows } = scene;
  if (from.position > MAGIC_LENGTH || (await sameMagic(master, slave))) {
    return compare(master, slave, from, chunkBytes, windows);
  }
  const walk = await scan(slave, windows[0], MAGIC_LENGTH);
  const slaveStop = walk.stop?.kind ?? 'end';
  return { ...NOTHING_YET, equalUpTo: 0, firstDifference: 0, slaveEnd: walk.end, slaveStop, masterDamaged: undefined };
}

/** Row 11: whether the master is still the file that the slave was copied from. */
async function lookAtGeneration(scene: Scene, trusted: Resume): Promise<Generation> {
  const { master, slave, dat } = scene;
  const known = dat?.master;
  const sameFile = known?.device === master.facts.device && known.inode === master.facts.inode;
  if (sameFile) {
    const head = await glance(scene, 0, Math.min(GLANCE, trusted.position));
    const tail = await glance(scene, Math.max(0, trusted.position - GLANCE), trusted.position);
    if (head && tail) return { kind: 'same', moved: false };
    // The same file with other bytes below the claim: exchanged for one that was given the old inode's number, or damaged.
    const damage = await damageIn(master, scene.windows[0]);
    return damage ? { kind: 'damaged', stop: damage } : { kind: 'other' };
  }
  // Another file may hold the same bytes: moved to another disk, or mounted anew after a reboot. The chunks tell.
  if (!(await sameMagic(master, slave))) return { kind: 'other' };
  for (const chunk of trusted.chunks) {
    if ((await hashOf(master, chunk, scene.windows[0])) !== chunk.hash) return { kind: 'other' };
  }
  return { kind: 'same', moved: true };
}

/** Whether master and slave have the same bytes in [from, to). */
async function glance(scene: Scene, from: number, to: number): Promise<boolean> {
  const theirs = new Uint8Array(to - from);
  const ours = new Uint8Array(to - from);
  const count = await scene.master.readBytes(theirs, from);
  await scene.slave.readBytes(ours, from);
  return count === theirs.length && firstDifference(theirs, ours) === undefined;
}

async function damageIn(file: Readable, window: Window): Promise<Damage | undefined> {
  const { stop } = await scan(file, window, MAGIC_LENGTH);
  return stop?.kind === 'damaged' ? stop : undefined;
}

/** Row 11: whether the slave's last transaction is one of the master's, or may have been dropped by a pack. */
async function lookAtPresence(scene: Scene, tid: bigint): Promise<Presence> {
  if (tid === NOTHING_YET.tid) return { kind: 'present' };
  const { master, windows } = scene;
  const end = await readableEnd(master, windows[0]);
  const transactions = new BackwardReader(master).from(end);
  let newer: FoundTransaction | undefined;
  for (let next = await transactions.next(); ; next = await transactions.next()) {
    if (next.done) {
      if (next.value === 'start') return presenceBetween(undefined, newer);
      return lookThroughAll(scene, tid);
    }
    if (next.value.tid === tid) return { kind: 'present' };
    if (next.value.tid < tid) return presenceBetween(next.value, newer);
    newer = next.value;
  }
}

/**
 * A tid between two neighbours in the master was dropped by a pack if it falls into the packed span: there is something
 * newer, and what is older was packed. A master that ends before it has lost it.
 */
function presenceBetween(older: { status: number } | undefined, newer: { status: number } | undefined): Presence {
  if (newer === undefined) return { kind: 'absent' };
  const packed = (older ?? newer).status === STATUS_PACKED;
  return { kind: packed ? 'packed-span' : 'absent' };
}

/** The same from the front, where the master's end does not let itself be read backwards. */
async function lookThroughAll(scene: Scene, tid: bigint): Promise<Presence> {
  let present = false;
  let older: { status: number } | undefined;
  let newer: { status: number } | undefined;
  const walk = await scan(
    scene.master,
    scene.windows[0],
    MAGIC_LENGTH,
    NOTHING_YET.tid,
    (_position, _length, at, status) => {
      if (at === tid) present = true;
      else if (at < tid) older = { status };
      else newer ??= { status };
    },
  );
  if (present) return { kind: 'present' };
  if (walk.stop?.kind === 'damaged') return { kind: 'damaged', stop: walk.stop };
  return presenceBetween(older, newer);
}

async function lookAtParting(scene: Scene, facts: Facts): Promise<Parting> {
  const { master, slave, windows } = scene;
  const known = facts.trusted?.position ?? MAGIC_LENGTH;
  const slaveEnd = await readableEnd(slave, windows[0], known);
  const masterEnd = await readableEnd(master, windows[0]);
  return findParting(new BackwardReader(slave), slaveEnd, new BackwardReader(master), masterEnd);
}

/** Rows 12 and 13: whether anything but a transaction in flight begins at `position`. */
async function lookAtNews(master: Master, position: number): Promise<boolean> {
  if (master.size <= position) return false;
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await master.readBytes(bytes, position)) < bytes.length) return true;
  const header = readTransactionHeader(new DataView(bytes.buffer), 0);
  const inFlight = header.status === STATUS_IN_FLIGHT && position + header.length + TRAILER_LENGTH >= master.size;
  return !inFlight;
}
