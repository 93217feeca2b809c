import { findBoundary } from '../filestorage/boundary.js';
import type { Readable } from './scan.js';
import type { Window } from './window.js';

/** In bytes. Most transactions are shorter; for a longer one a complete window is searched. */
const FIRST_READ_BYTES = 1 << 16;

/**
 * The first place at or behind `position` that looks like a transaction boundary; its bytes prove nothing. undefined
 * when none is found within a window. Reads a small piece first.
 */
export async function guessBoundary(
  file: Pick<Readable, 'read' | 'size'>,
  window: Window,
  position: number,
): Promise<number | undefined> {
  const most = Math.min(window.size, file.size - position);
  for (let requested = Math.min(FIRST_READ_BYTES, most); ; requested = most) {
    const length = await file.read(window, requested, position);
    const found = findBoundary(window.view, length, position, file.size);
    if (found !== undefined || requested === most) return found;
  }
}
