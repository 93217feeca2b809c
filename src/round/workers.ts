import { availableParallelism } from 'node:os';

/** Most threads without an explicit number: more would only wait for the disk, or for the thread that writes. */
const MOST_UNASKED = 4;

/**
 * How many threads read a long file: the requested number, or as many as the machine has free processors when `busy`
 * other threads of this process use one each.
 */
export function workersOf(asked: number | undefined, busy = 0): number {
  return asked ?? Math.max(1, Math.min(availableParallelism() - busy, MOST_UNASKED - busy));
}
