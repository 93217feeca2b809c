import { availableParallelism } from 'node:os';

/** More threads than that wait for the disk, or for the one that writes. */
const MOST_UNASKED = 4;

/**
 * How many threads read a long file: as many as were asked for, or as the machine has processors for them when `busy` other
 * threads of this process have one each.
 */
export function workersOf(asked: number | undefined, busy = 0): number {
  return asked ?? Math.max(1, Math.min(availableParallelism() - busy, MOST_UNASKED - busy));
}
