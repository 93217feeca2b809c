import { factsOfPath, stateOf } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import type { AdaptiveSource } from '../pipeline/adaptive-source.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import type { SlavePaths } from '../standby/paths.js';
import { EXIT } from './exit.js';
import type { SyncResult } from './result.js';

/**
 * What a watch keeps from one round of a storage to the next: memory, threads, and how the last round left the slave.
 *
 * Invariant: once a read was given up, the session is not used again. That read may still write into its memory, and
 * its deadline stays marked.
 */
export class RoundSession {
  readonly deadline: ReadDeadline;
  private kept: { readonly chunkBytes: number; readonly source: AdaptiveSource } | undefined;
  private leftAs: Left | undefined;

  /** `seconds`: without progress, after which a read of the master is given up. `signal` ends every wait. `onAnswer`: a read has returned. */
  constructor(seconds: number, signal: AbortSignal, onAnswer: () => void) {
    this.deadline = new ReadDeadline(seconds, signal, onAnswer);
  }

  /** The source of the last round, if its chunks are as long. */
  async source(chunkBytes: number, make: () => AdaptiveSource): Promise<AdaptiveSource> {
    if (this.kept?.chunkBytes !== chunkBytes) {
      await this.kept?.source.close();
      this.kept = { chunkBytes, source: make() };
    }
    return this.kept.source;
  }

  /**
   * Notes how a round has left the slave. The caller still holds the lock. A slave that does not end where the round has ended
   * it was changed meanwhile, by a program that asks no lock.
   */
  leave(paths: SlavePaths, result: SyncResult): void {
    const mark = markOf(paths);
    const isOurs = !isCurrent(result) || factsOfPath(paths.data)?.size === result.slave.claim;
    this.leftAs = isOurs ? { paths, mark, isCurrent: isCurrent(result) } : undefined;
  }

  /** Whether nobody has changed the slave or its `.dat` since the last round, which left all transactions on it. */
  isAsLeft(): boolean {
    return this.leftAs?.isCurrent === true && !this.isChanged();
  }

  /**
   * Whether anybody has changed the slave, its `.dat` or its role since the last round that held the lock. True also where
   * that cannot be read: the round reports why.
   */
  isChanged(): boolean {
    const { leftAs } = this;
    if (leftAs === undefined) return true;
    const mark = markOf(leftAs.paths);
    return mark === UNREADABLE || mark !== leftAs.mark;
  }

  /** The next round checks the slave's bytes, even if nobody has changed them. */
  forget(): void {
    this.leftAs = undefined;
  }

  async close(): Promise<void> {
    await this.kept?.source.close();
    this.kept = undefined;
  }
}

/** Whether a round has found or made the slave equal to the master's finished transactions, blobs included. */
export function isInStep(result: SyncResult): boolean {
  return isCurrent(result) && result.exitCode === EXIT.ok;
}

/** As isInStep, but blobs may be missing on the master. */
export function isCurrent({ action, damage, dryRun }: SyncResult): boolean {
  return IN_STEP.has(action) && damage === null && !dryRun;
}

const IN_STEP: ReadonlySet<SyncResult['action']> = new Set(['none', 'append', 'full', 'rebuild', 'adopt']);

/** Differs when anybody has changed the slave at this path, its `.dat` or its role in between. */
export function markOfSlave(data: string): string {
  return markOf({ data, dat: `${data}.dat`, freshDat: `${data}.new.dat`, role: `${data}.role`, lock: `${data}.lock` });
}

interface Left {
  readonly paths: SlavePaths;
  readonly mark: string;
  readonly isCurrent: boolean;
}

/** The mark of files that cannot be read, on a disk that fails or without rights. */
const UNREADABLE = 'unreadable';

type MarkedPaths = Pick<SlavePaths, 'data' | 'dat' | 'freshDat' | 'role' | 'lock'>;

/**
 * Differs for two states of the slave's files, unless a program has set back a time and kept the size. The lock file is
 * written by every round; it only has to be there.
 */
function markOf({ data, dat, freshDat, role, lock }: MarkedPaths): string {
  try {
    const files = [data, dat, freshDat, role].map((path) => stateOf(factsOfPath(path)));
    return [...files, factsOfPath(lock) !== undefined].join(';');
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return UNREADABLE;
  }
}
