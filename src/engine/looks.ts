import {
  MAGIC_LENGTH,
  readTransactionHeader,
  STATUS_IN_FLIGHT,
  TRANSACTION_HEADER_LENGTH,
} from '../filestorage/layout.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { NOTHING_YET } from './chunk-table.js';
import { compare, sameMagic } from './compare.js';
import type { Comparison, Damage, Facts, Generation, Look, Parting, Presence, Resume, Trusted } from './facts.js';
import type { Master } from './master.js';
import { findParting } from './parting.js';
import { findPresence } from './presence.js';
import { firstDifference, type Readable, readableEnd, scan } from './scan.js';
import { isPlainlyInFlight } from './tail.js';
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
      return { ...facts, presence: await lookAtPresence(scene, facts) };
    case 'parting':
      return { ...facts, parting: await lookAtParting(scene, facts) };
    case 'news':
      return { ...facts, news: await lookAtNews(scene.master, facts.trusted?.position ?? MAGIC_LENGTH) };
  }
}

/** Row 10: the longest run of the slave's chunks whose last one is there and matches its checksum. */
async function lookAtTrusted(scene: Scene): Promise<Trusted> {
  const { master, slave, dat, windows } = scene;
  const claim = dat?.claim.position ?? MAGIC_LENGTH;
  const chunks = [...(dat?.chunks ?? [])];
  let failed: { readonly problem: string; readonly masterAgrees: boolean } | undefined;
  for (let last = chunks.at(-1); last; last = chunks.at(-1)) {
    const isThere = last.end <= slave.size;
    if (isThere && (await hashOf(slave, last, windows[0])) === last.hash) {
      const tailState = windows[0].save();
      return { position: last.end, tid: last.lastTid, chunks, tailState, ...failed };
    }
    const problem = isThere
      ? `the slave's bytes ${last.start} to ${last.end} do not match their checksum`
      : `the slave has ${slave.size} bytes, ${claim} are claimed`;
    const agrees = (failed?.masterAgrees ?? true) && (await hashOf(master, last, windows[0])) === last.hash;
    failed = { problem: failed?.problem ?? problem, masterAgrees: agrees };
    chunks.pop();
  }
  return { ...NOTHING_YET, ...failed };
}

/** XXH64 of a chunk's bytes as they are now; '' when they are not all there. Leaves the hash state in the window. */
export async function hashOf(file: Readable, chunk: ChunkLine, window: Window): Promise<string> {
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
  return {
    ...NOTHING_YET,
    equalUpTo: 0,
    firstDifference: 0,
    slaveEnd: walk.end,
    slaveStop,
    otherTransactions: false,
    masterDamaged: undefined,
  };
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

async function lookAtParting(scene: Scene, facts: Facts): Promise<Parting> {
  const { slave, master } = await endings(scene, facts);
  return findParting(slave, master);
}

async function lookAtPresence(scene: Scene, facts: Facts): Promise<Presence> {
  const { slave, master } = await endings(scene, facts);
  return findPresence(slave, master, scene.windows[0]);
}

/**
 * The places from which both files can be read backwards. On the slave it is the end of what a FileStorage would show: of
 * a batch that was broken off, the last transactions may well be complete, behind a first one that is in flight.
 */
async function endings(scene: Scene, facts: Facts) {
  const { master, slave, windows } = scene;
  const seen = facts.beyond ?? facts.comparison ?? (await shownBehindClaim(scene));
  const shown = seen?.slaveStop === 'end' || seen?.slaveStop === 'in-flight' ? seen.slaveEnd : undefined;
  const slaveEnd = shown ?? (await readableEnd(slave, windows[0], facts.trusted?.position ?? MAGIC_LENGTH));
  const masterEnd = await readableEnd(master, windows[0]);
  return { slave: { source: slave, end: slaveEnd }, master: { source: master, end: masterEnd } };
}

/** What a FileStorage would show of a slave that was not compared, behind the part that is claimed. */
async function shownBehindClaim({ slave, dat, windows }: Scene): Promise<Pick<Comparison, 'slaveEnd' | 'slaveStop'>> {
  const from = dat && dat.claim.position <= slave.size ? dat.claim : NOTHING_YET;
  const walk = await scan(slave, windows[0], from.position, from.tid);
  return { slaveEnd: walk.end, slaveStop: walk.stop?.kind ?? 'end' };
}

/** Rows 12 and 13: whether anything but a transaction in flight begins at `position`. */
async function lookAtNews(master: Master, position: number): Promise<boolean> {
  if (master.size <= position) return false;
  const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
  if ((await master.readBytes(bytes, position)) < bytes.length) return true;
  const header = readTransactionHeader(new DataView(bytes.buffer), 0);
  if (header.status !== STATUS_IN_FLIGHT) return true;
  return !(await isPlainlyInFlight({ position, length: header.length }, master));
}
