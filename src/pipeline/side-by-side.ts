import { firstDifference, type Readable } from './scan.js';
import type { Window } from './window.js';

/** The contents of the windows: of each file as many bytes as it still has there. */
export interface Pieces {
  readonly position: number;
  /** Number of bytes requested. */
  readonly length: number;
  readonly theirs: Uint8Array;
  readonly ours: Uint8Array;
  /** Offset of the first byte in which they differ; undefined: no difference in the bytes that both have. */
  readonly difference: number | undefined;
}

/**
 * Reads the bytes from `from` to `to` of both files, a window at a time. A yielded value is valid until the next is
 * requested.
 */
export async function* sideBySide(
  from: number,
  to: number,
  master: Readable,
  slave: Readable,
  [one, other]: readonly [Window, Window],
): AsyncGenerator<Pieces> {
  for (let position = from; position < to; position += one.size) {
    const length = Math.min(one.size, to - position);
    // Both reads run in parallel. A pending read is awaited even after a failure, because its file may be closed then.
    const reading = Promise.resolve(master.read(one, length, position));
    let had = 0;
    try {
      had = await slave.read(other, length, position);
    } finally {
      await Promise.allSettled([reading]);
    }
    const theirs = one.bytes.subarray(0, await reading);
    const ours = other.bytes.subarray(0, had);
    yield { position, length, theirs, ours, difference: firstDifference(theirs, ours) };
  }
}

/** The first place at or after `from` where the files differ; at the latest, where one of them ends. */
export async function findDifference(
  master: Readable,
  slave: Readable,
  from: number,
  windows: readonly [Window, Window],
): Promise<number> {
  const end = Math.min(master.size, slave.size);
  for await (const { position, length, theirs, ours, difference } of sideBySide(from, end, master, slave, windows)) {
    const both = Math.min(theirs.length, ours.length);
    if (difference !== undefined || both < length) return position + (difference ?? both);
  }
  return end;
}
