import { availableParallelism } from 'node:os';

/** More threads than that wait for the disk, or for the one that writes. */
const MOST_UNASKED = 4;

/** How many threads read a long file: as many as were asked for, or as the machine has processors. */
export function workersOf(asked: number | undefined): number {
  return asked ?? Math.min(availableParallelism(), MOST_UNASKED);
}
