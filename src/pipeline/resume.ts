import type { ChunkLine } from '../standby/dat.js';

/** A place to go on from: everything before it on the slave is known to equal the master. */
export interface Resume {
  readonly position: number;
  readonly tid: bigint;
  readonly chunks: readonly ChunkLine[];
  /** Hash state of the last chunk; '' without chunks. */
  readonly tailState: string;
}
