import { MAGIC_LENGTH } from '../filestorage/layout.js';
import type { Stop } from '../filestorage/stop.js';
import { readChunk } from '../pipeline/chunk.js';
import { advance, nextTask } from '../pipeline/chunk-table.js';
import type { Damage } from '../pipeline/damage.js';
import type { Resume } from '../pipeline/resume.js';
import { firstDifference, type Readable, scan } from '../pipeline/scan.js';
import { findDifference } from '../pipeline/side-by-side.js';
import type { Window } from '../pipeline/window.js';

/** How far the slave's bytes equal the master's, starting from a place up to which they are known to be equal. */
export interface Comparison extends Resume {
  /** The last transaction boundary up to which both are equal; the same as `position`. */
  readonly equalUpTo: number;
  readonly firstDifference: number;
  /** Position after the last transaction that FileStorage would find on the slave. */
  readonly slaveEnd: number;
  /** What stopped the walk over the slave at `slaveEnd`. */
  readonly slaveStop: Stop['kind'];
  /** The master breaks a rule of the format before the first difference. */
  readonly masterDamaged: Damage | undefined;
}

/** Thrown out of a chunk's reading at the first byte that differs. */
class Differs extends Error {
  constructor(readonly position: number) {
    super(`differs at ${position}`);
  }
}

/**
 * Compares the slave with the master byte by byte, from `from` on, and validates the master's side. The result includes
 * the equal chunks as a resume place.
 */
export async function compare(
  master: Readable,
  slave: Readable,
  from: Resume,
  chunkBytes: number,
  windows: readonly [Window, Window],
): Promise<Comparison> {
  const [window, other] = windows;
  let resume = from;
  let limit = Math.min(master.size, slave.size);
  let difference: number | undefined;
  let masterDamaged: Damage | undefined;
  for (let more = limit > from.position; more; ) {
    const task = nextTask(resume, limit, chunkBytes);
    try {
      const facts = await readChunk(task, window, master.read, async (bytes, position) => {
        const count = await slave.read(other, bytes.length, position);
        const at = firstDifference(bytes, other.bytes.subarray(0, count));
        if (at !== undefined || count < bytes.length) throw new Differs(position + (at ?? count));
      });
      resume = advance(resume, facts);
      more = facts.stop.kind === 'cut';
      if (facts.stop.kind === 'damaged') masterDamaged = facts.stop;
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
      // Read again, up to the difference only: the last boundary before it is where both are equal.
      difference = error.position;
      limit = error.position;
      more = limit > resume.position;
    }
  }
  const walk = await scan(slave, window, resume.position, resume.tid);
  return {
    ...resume,
    equalUpTo: resume.position,
    firstDifference: difference ?? (await findDifference(master, slave, resume.position, windows)),
    slaveEnd: walk.end,
    slaveStop: walk.stop?.kind ?? 'end',
    masterDamaged: difference === undefined ? masterDamaged : undefined,
  };
}

/** Whether both files begin with the same magic. */
export async function sameMagic(master: Readable, slave: Readable): Promise<boolean> {
  const a = new Uint8Array(MAGIC_LENGTH);
  const b = new Uint8Array(MAGIC_LENGTH);
  const counts = [await master.readBytes(a, 0), await slave.readBytes(b, 0)];
  return counts.every((count) => count === MAGIC_LENGTH) && firstDifference(a, b) === undefined;
}
