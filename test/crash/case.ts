import type { ScrubAmount } from '../../src/scrub/round.js';
import type { TermLine } from '../../src/standby/role.js';
import type { BlobCase } from './blob-judge.js';
import type { Change } from './change.js';
import type { Image } from './image.js';
import type { Disk } from './model-disk.js';

/** One version of the master: its committed bytes. */
export type Generation = Uint8Array;

/** One record to enumerate, and the facts to judge it by. */
export interface Case {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  /** The states of earlier crash points have been enumerated elsewhere. */
  readonly from: number;
  /** Path of the master's file. */
  readonly master: string;
  /** Every version that the master has had, the latest last. */
  readonly generations: readonly Generation[];
  /** The bytes that FileStorage shows of the slave before the run; undefined without a slave. */
  readonly shown: Uint8Array | undefined;
  /** The slave breaks its claim before the run (it was truncated). */
  readonly claimBroken: boolean;
  /** A rebuild would be wrong: the master's file is the one that the slave was copied from. */
  readonly neverRebuild: boolean;
  /** The run repairs wrong bytes of the slave in place: each of them may be still wrong, or right. */
  readonly repairs: boolean;
  /** The run has reported its repair, so the repair is durable when it has ended. */
  readonly reportsRepairs: boolean;
  /** What the next sync rereads. */
  readonly scrub: ScrubAmount;
  /** A slave whose own transactions must not be lost: its file stays in the directory under some name. */
  readonly kept: Image | undefined;
  /** While the slave has these transactions, only `--full` makes a sync continue. */
  readonly needsForce: boolean;
  /** Whether the next sync also refuses and leaves the slave unchanged; a record from before the crash counts. */
  readonly staysRefused: 'no' | 'always' | 'once recorded';
  /** The term lines of the master. */
  readonly terms: readonly Pick<TermLine, 'term' | 'tid'>[];
  /** The file is moved there, so the slave's path is empty for a moment. */
  readonly movesAside: boolean;
  /** How many files from before a pack the next sync keeps. */
  readonly packedFiles: number;
  /** undefined: the run is not about blobs. */
  readonly blobs?: BlobCase | undefined;
}
