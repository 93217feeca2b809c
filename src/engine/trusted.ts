import { MAGIC_LENGTH } from '../filestorage/layout.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { NOTHING_YET } from './chunk-table.js';
import type { Trusted } from './facts.js';
import type { Master } from './master.js';
import type { Readable } from './scan.js';
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

/** Row 10: the longest run of the slave's chunks, of these at the most, whose last one is there and matches its checksum. */
export async function lookAtTrusted(
  scene: Scene,
  upTo: readonly ChunkLine[] = scene.dat?.chunks ?? [],
): Promise<Trusted> {
  const { master, slave, dat, windows } = scene;
  const claim = dat?.claim.position ?? MAGIC_LENGTH;
  const chunks = [...upTo];
  const wrong: ChunkLine[] = [];
  let failed: { readonly problem: string; readonly masterAgrees: boolean } | undefined;
  for (let last = chunks.at(-1); last; last = chunks.at(-1)) {
    const isThere = last.end <= slave.size;
    if (isThere && (await hashOf(slave, last, windows[0])) === last.hash) {
      const tailState = windows[0].save();
      return {
        position: last.end,
        tid: last.lastTid,
        chunks,
        tailState,
        ...failed,
        ...repairable(scene, wrong, failed),
      };
    }
    const problem = isThere
      ? `the slave's bytes ${last.start} to ${last.end} do not match their checksum`
      : `the slave has ${slave.size} bytes, ${claim} are claimed`;
    const agrees = (failed?.masterAgrees ?? true) && (await hashOf(master, last, windows[0])) === last.hash;
    failed = { problem: failed?.problem ?? problem, masterAgrees: agrees };
    wrong.push(last);
    chunks.pop();
  }
  return { ...NOTHING_YET, ...failed, ...repairable(scene, wrong, failed) };
}

/** Where the slave has all its bytes, and the master those that it has wrong, nothing has to be cut off. */
function repairable(
  { slave, dat }: Scene,
  wrong: readonly ChunkLine[],
  failed: { readonly masterAgrees: boolean } | undefined,
): Pick<Trusted, 'repairable'> {
  if (!dat || !failed?.masterAgrees || slave.size < dat.claim.position) return {};
  const { claim, chunks, tailState } = dat;
  return { repairable: { claim: { position: claim.position, tid: claim.tid, chunks, tailState }, wrong } };
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
