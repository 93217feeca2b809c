import type { OpenFile } from '../io/open-file.js';
import { withFile } from '../io/with-file.js';
import { fileSource } from './file-source.js';
import type { MergeFindings, MergeOptions } from './findings.js';
import type { ForwardSource } from './forward-bytes.js';
import { merge } from './merge.js';

/** Two local files: the copy of the master that is being filled, and the slave that it replaces. */
export interface Pair {
  readonly freshPath: string;
  readonly slavePath: string;
  /** Position behind the last transaction that a server would show of the slave. */
  readonly slaveEnd: number;
  readonly options: MergeOptions;
}

/** Compares a copy of the master with the slave while the copy is filled. */
export interface Judging {
  /** The copy holds complete transactions up to here, which are final. */
  reached(position: number): void;
  /** It is already certain that the master is no continuation of the slave. */
  readonly isCertain: boolean;
  /** The copy is complete and ends at `end`. */
  finish(end: number): Promise<MergeFindings>;
  close(): Promise<void>;
}

/** Compares the copy, read through `sourceOfCopy`, with the slave, in this thread. */
export function compareWith(
  { freshPath, slavePath, slaveEnd, options }: Pair,
  sourceOfCopy: (fresh: OpenFile) => ForwardSource,
): Promise<MergeFindings> {
  return withFile(freshPath, (fresh) =>
    withFile(slavePath, (slave) => merge(sourceOfCopy(fresh), fileSource(slave, slaveEnd), options)),
  );
}

/** Compares the complete copy with the slave, in this thread. */
export function compareFiles(pair: Pair, end: number): Promise<MergeFindings> {
  return compareWith(pair, (fresh) => fileSource(fresh, end));
}
