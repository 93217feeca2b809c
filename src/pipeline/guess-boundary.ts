import { findBoundary } from '../filestorage/boundary.js';
import type { Readable } from './scan.js';
import type { Window } from './window.js';

/** Most transactions are shorter; where one is longer, a whole window is looked through. */
const FIRST_LOOK_BYTES = 1 << 16;

/**
 * The first place at or behind `position` that looks like a transaction boundary, whose bytes prove nothing; undefined when
 * none is found within a window. Reads the file, a little at first.
 */
export async function guessBoundary(
  file: Pick<Readable, 'read' | 'size'>,
  window: Window,
  position: number,
): Promise<number | undefined> {
  const most = Math.min(window.size, file.size - position);
  for (let wanted = Math.min(FIRST_LOOK_BYTES, most); ; wanted = most) {
    const length = await file.read(window, wanted, position);
    const found = findBoundary(window.view, length, position, file.size);
    if (found !== undefined || wanted === most) return found;
  }
}
