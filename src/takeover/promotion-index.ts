import { firstChanged, makeIndex } from '../index/refresh.js';
import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { InlineSource } from '../pipeline/chunk-source.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { Exchanged } from '../pipeline/copy.js';
import { Master } from '../pipeline/master.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import { readCovered, writeIndexFile } from '../standby/index-file.js';
import type { SlavePaths } from '../standby/paths.js';

const MIB = 1 << 20;
const SECONDS = 1;

/** Limits, in bytes, within which a takeover waits for an index to be built. */
export interface IndexLimits {
  /** Up to this many uncovered bytes a server scans without a noticeable delay. */
  readonly from: number;
  /** Reading more would delay the takeover: the server scans the bytes instead, and the result reports it. */
  readonly upTo: number;
  /** Reading and writing a larger index file would delay it as well. */
  readonly indexBytes: number;
}

const LIMITS: IndexLimits = { from: 64 * MIB, upTo: 512 * MIB, indexBytes: 32 * MIB };

/**
 * Removes an index that covers bytes about to be cut off: FileStorage's own check is too weak to reject it. Returns the
 * position up to which the remaining index covers the file; 0: there is no usable one. The caller makes the removal
 * durable.
 */
export function fitIndex(paths: SlavePaths, end: number): number {
  const covered = readCovered(paths.index);
  if (!('end' in covered)) return 0;
  if (covered.end <= end) return covered.end;
  removeIfThere(paths.index);
  return 0;
}

export interface Covered {
  /** Position up to which the index covers the file. */
  readonly covered: number;
  /** A chunk that does not have the bytes that were copied, so that no index was built. */
  readonly changed?: ChunkLine;
}

/**
 * Extends the index to the end of the file if a server would notice the difference.
 *
 * @param copied the chunks that were copied: no index is built from other bytes
 */
export async function coverMore(
  paths: SlavePaths,
  end: number,
  covered: number,
  window: Window,
  copied: readonly ChunkLine[],
  limits: IndexLimits = LIMITS,
): Promise<Covered> {
  const indexBytes = factsOfPath(paths.index)?.size ?? 0;
  if (end - covered <= limits.from || end - covered > limits.upTo || indexBytes > limits.indexBytes) return { covered };
  const deadline = new ReadDeadline(SECONDS);
  const source = new InlineSource(window, { chunkBytes: DEFAULT_CHUNK_BYTES, onProgress: () => {} });
  try {
    const file = await Master.open(paths.data, deadline);
    if (!file) return { covered };
    try {
      const made = await makeIndex(paths.index, file, source, copied);
      const changed = firstChanged(made, copied);
      if (changed) return { covered, changed };
      if (made.action === 'changed' || made.stop.kind !== 'end' || made.resume.position !== end) return { covered };
      writeIndexFile(paths, made.index, end);
      return { covered: end };
    } finally {
      file.close();
    }
  } catch (error) {
    // A server works without an index; it only takes longer to start.
    if (error instanceof IoFault || error instanceof Exchanged) return { covered };
    throw error;
  }
}
