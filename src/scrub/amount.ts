import type { Rot } from '../pipeline/damage.js';

/** How many bytes of each side a run reads again; 0: none. */
export type ScrubAmount = number | 'full';

export interface Scrubbed {
  /** Read again, on each side. */
  readonly bytes: number;
  /** Chunks that were not what had been copied, on either side. */
  readonly bad: number;
  /** The first chunk that is wrong on the master, and how many there were. */
  readonly rot: Rot | undefined;
  readonly rotten: number;
}

export const NOT_SCRUBBED: Scrubbed = { bytes: 0, bad: 0, rot: undefined, rotten: 0 };
