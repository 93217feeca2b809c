import { MAGIC_LENGTH } from '../filestorage/layout.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { NOTHING_YET } from './chunk-table.js';
import { hasTransactionsOf } from './chunk-transactions.js';
import type { Rot } from './damage.js';
import type { Master } from './master.js';
import type { Resume } from './resume.js';
import type { Readable } from './scan.js';
import type { Window } from './window.js';

/** Up to where the slave's own chunks verify. */
export interface Verified extends Resume {
  /** Why this is not the claim. */
  readonly problem?: string;
  /** If it is not: the master still has the copied bytes of the chunks that fail. */
  readonly masterAgrees?: boolean;
  /** The master has the same transactions there, with other bytes than were copied: they changed on its disk. */
  readonly masterRot?: Rot;
  /** If the master agrees and the slave is as long as is claimed: the claim itself, valid once `wrong` are repaired. */
  readonly repairable?: { readonly claim: Resume; readonly wrong: readonly ChunkLine[] };
}

/** What the probes read. The slave exists and is at least as long as a magic. */
export interface Scene {
  readonly master: Master;
  readonly slave: Readable;
  /** A usable `.dat` that describes this slave file. */
  readonly dat: Dat | undefined;
  readonly chunkBytes: number;
  readonly windows: readonly [Window, Window];
  /** The slave and its `.dat` are as this process left them: the claim holds without a check of its bytes. */
  readonly isAsLeft?: boolean | undefined;
  /** The file that the claim names continues the slave's claim: it is not compared with the slave again. */
  readonly continues?: boolean | undefined;
}

/** Row 10: the longest run of the slave's chunks, within `upTo`, whose last one is present and matches its checksum. */
export async function findVerified(
  scene: Scene,
  upTo: readonly ChunkLine[] = scene.dat?.chunks ?? [],
): Promise<Verified> {
  const { master, slave, dat, windows } = scene;
  if (scene.isAsLeft && dat && upTo === dat.chunks)
    return { ...dat.claim, chunks: dat.chunks, tailState: dat.tailState };
  const [window] = windows;
  const claim = dat?.claim.position ?? MAGIC_LENGTH;
  const wrong: { readonly chunk: ChunkLine; readonly problem: string; readonly masterAgrees: boolean }[] = [];
  let masterRot: Rot | undefined;
  const count = await verifiedChunks(slave, upTo, window, async (chunk, isThere) => {
    const problem = isThere
      ? `the slave's bytes ${chunk.start} to ${chunk.end} do not match their checksum`
      : `the slave has ${slave.size} bytes, ${claim} are claimed`;
    const agreed = wrong.at(-1)?.masterAgrees ?? true;
    const agrees = (await hashOf(master, chunk, window)) === chunk.hash;
    if (!agrees && (await hasTransactionsOf(chunk, master, slave, window))) masterRot = rotOfBoth(chunk);
    wrong.push({ chunk, problem, masterAgrees: agreed && agrees });
  });
  const chunks = upTo.slice(0, count);
  const last = chunks.at(-1);
  const resume = last ? { position: last.end, tid: last.lastTid, chunks, tailState: window.save() } : NOTHING_YET;
  const [first] = wrong;
  if (!first) return resume;
  const masterAgrees = wrong.at(-1)?.masterAgrees === true;
  const wrongChunks = wrong.map(({ chunk }) => chunk);
  const found = { ...resume, problem: first.problem, masterAgrees, ...(masterRot && { masterRot }) };
  return { ...found, ...(masterAgrees && repairable(scene, wrongChunks)) };
}

/** Neither side has the bytes of this chunk that were copied. */
export function rotOfBoth({ start, end, firstTid }: ChunkLine): Rot {
  const message = `its bytes ${start} to ${end} are not those that were copied, and the slave does not have those any more either`;
  return { position: start, at: start, tid: firstTid, rule: 'hash', message, slaveToo: true };
}

/** If the slave has all its bytes, and the master those that the slave has wrong, nothing has to be cut off. */
function repairable({ slave, dat }: Scene, wrong: readonly ChunkLine[]): Pick<Verified, 'repairable'> {
  if (!dat || slave.size < dat.claim.position) return {};
  const { claim, chunks, tailState } = dat;
  return { repairable: { claim: { position: claim.position, tid: claim.tid, chunks, tailState }, wrong } };
}

/**
 * The number of chunks that remain when those at the end that are missing, or do not match their checksum, are dropped.
 * Leaves the hash state of the last remaining one in the window.
 */
export async function verifiedChunks(
  file: Readable,
  chunks: readonly ChunkLine[],
  window: Window,
  onWrong: (chunk: ChunkLine, isThere: boolean) => Promise<void> = async () => {},
): Promise<number> {
  for (const [index, chunk] of [...chunks.entries()].reverse()) {
    const isThere = chunk.end <= file.size;
    if (isThere && (await hashOf(file, chunk, window)) === chunk.hash) return index + 1;
    await onWrong(chunk, isThere);
  }
  return 0;
}

/** XXH64 of a chunk's current bytes; '' if some are missing. Leaves the hash state in the window. */
export async function hashOf(file: Readable, chunk: ChunkLine, window: Window): Promise<string> {
  window.reset();
  for (let position = chunk.start; position < chunk.end; ) {
    const requested = Math.min(window.size, chunk.end - position);
    const length = await file.read(window, requested, position);
    if (length < requested) return '';
    window.add(0, length);
    position += length;
  }
  return window.digest();
}
