import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import type { BlobId } from './layout.js';

const LANES = 8;
const WINDOW_BYTES = 1 << 18;

/** Works on several blobs at a time, each with a window of its own, so that memory is bounded. */
export class Lanes {
  private readonly windows: Window[] = [];

  constructor(private readonly deadline: ReadDeadline) {}

  /** Calls `each` for every blob. The first error ends all of them, once each is at rest. */
  async run(blobs: Iterable<BlobId>, each: (blob: BlobId, window: Window) => Promise<void>): Promise<void> {
    const iterator = blobs[Symbol.iterator]();
    let failed = false;
    const lane = async (_: unknown, number: number): Promise<void> => {
      for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
        try {
          if (this.deadline.signal.aborted) throw new Interrupted();
          this.windows[number] ??= new Window(WINDOW_BYTES);
          await each(next.value, this.windows[number]);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const error = ended.find((one) => one.status === 'rejected');
    if (error) throw error.reason;
  }
}
