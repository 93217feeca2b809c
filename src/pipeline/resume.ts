import type { ChunkLine } from '../standby/dat.js';

/** A place to continue from: all bytes before it on the slave are known to equal the master's. */
export interface Resume {
  readonly position: number;
  readonly tid: bigint;
  readonly chunks: readonly ChunkLine[];
  /** Hash state of the last chunk; '' without chunks. */
  readonly tailState: string;
}
