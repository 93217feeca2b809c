import type { ScrubAmount } from '../../src/scrub/round.js';
import type { TermLine } from '../../src/standby/role.js';
import type { Change } from './change.js';
import type { Image } from './image.js';
import type { Disk } from './model-disk.js';

/** A generation of the master: its committed bytes. */
export type Generation = Uint8Array;

/** One record to enumerate, and what it is judged by. */
export interface Case {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  /** States of the crash points before this one have been enumerated elsewhere. */
  readonly from: number;
  /** Path of the master's file. */
  readonly master: string;
  /** All that the master has been, the latest last. */
  readonly generations: readonly Generation[];
  /** What FileStorage shows of the slave before the run: its bytes; undefined without a slave. */
  readonly shown: Uint8Array | undefined;
  /** The slave that the run began with breaks its claim already (it was cut short). */
  readonly claimBroken: boolean;
  /** Making the slave anew is no answer: the master's file is the one that the slave was copied from. */
  readonly neverRebuild: boolean;
  /** Bytes of the slave that are wrong are repaired in place: any of them may be wrong still, or right. */
  readonly repairs: boolean;
  /** The run has told of what it repaired: when it has ended, that is durable. */
  readonly reportsRepairs: boolean;
  /** What the next sync reads again. */
  readonly scrub: ScrubAmount;
  /** A slave whose own transactions must not be lost: it stays in the directory under some name. */
  readonly kept: Image | undefined;
  /** Only `--full` makes a sync go on while the slave still is the one with transactions of its own. */
  readonly needsForce: boolean;
  /** Whether the next sync refuses as well and leaves the slave as it is; what was recorded before the crash counts. */
  readonly staysRefused: 'no' | 'always' | 'once recorded';
  /** The term lines of the master. */
  readonly terms: readonly Pick<TermLine, 'term' | 'tid'>[];
  /** It is moved there, so for a moment nothing is at the slave's path. */
  readonly movesAside: boolean;
}
