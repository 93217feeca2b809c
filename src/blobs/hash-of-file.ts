import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';

/** XXH64 of the first `size` bytes that `read` returns. `take` receives them as they are read. */
export async function hashOfFile(
  size: number,
  window: Window,
  deadline: ReadDeadline,
  read: (into: Uint8Array, length: number, at: number) => Promise<number>,
  take?: (bytes: Uint8Array, position: number) => void,
): Promise<bigint> {
  window.reset();
  for (let position = 0; position < size; ) {
    if (deadline.signal.aborted) throw new Interrupted();
    const count = await read(window.bytes, Math.min(window.size, size - position), position);
    if (count === 0) break;
    window.add(0, count);
    take?.(window.bytes.subarray(0, count), position);
    position += count;
  }
  return BigInt(`0x${window.digest()}`);
}
