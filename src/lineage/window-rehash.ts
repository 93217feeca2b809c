import type { Window } from '../pipeline/window.js';
import type { Rehash } from './blame.js';

/** The hash of a window, for bytes that were not read into it. */
export function rehashIn(window: Window): Rehash {
  return {
    reset: () => window.reset(),
    add(bytes) {
      for (let done = 0; done < bytes.length; done += window.size) {
        const piece = bytes.subarray(done, done + window.size);
        window.bytes.set(piece);
        window.add(0, piece.length);
      }
    },
    digest: () => window.digest(),
  };
}
