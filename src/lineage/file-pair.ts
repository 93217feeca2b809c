import type { OpenFile } from '../io/open-file.js';
import { withFile } from '../io/with-file.js';
import { fileSource } from './file-source.js';
import type { MergeFindings, MergeOptions } from './findings.js';
import type { ForwardSource } from './forward-bytes.js';
import { merge } from './merge.js';

/** Two files of this machine: the copy of the master that is being filled, and the slave that it is to replace. */
export interface Pair {
  readonly freshPath: string;
  readonly slavePath: string;
  /** Position behind the last transaction that a server would show of the slave. */
  readonly slaveEnd: number;
  readonly options: MergeOptions;
}

/** Compares a copy of the master with the slave while it is being filled. */
export interface Judging {
  /** The copy holds whole transactions up to here, which stay. */
  reached(position: number): void;
  /** It is certain already that the master is no continuation of the slave. */
  readonly isCertain: boolean;
  /** The copy is complete, and ends here. */
  finish(end: number): Promise<MergeFindings>;
  close(): Promise<void>;
}

/** Compares the copy, as `sourceOfCopy` reads it, with the slave, in this thread. */
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
