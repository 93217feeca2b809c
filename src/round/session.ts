import { type FileFacts, factsOfPath } from '../io/facts.js';
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
  private left: Mark | undefined;

  /** `seconds`: without progress, after which a read of the master is given up. `signal` ends every wait. */
  constructor(seconds: number, signal: AbortSignal) {
    this.deadline = new ReadDeadline(seconds, signal);
  }

  /** The source of the last round, if its chunks are as long. */
  async source(chunkBytes: number, make: () => AdaptiveSource): Promise<AdaptiveSource> {
    if (this.kept?.chunkBytes !== chunkBytes) {
      await this.kept?.source.close();
      this.kept = { chunkBytes, source: make() };
    }
    return this.kept.source;
  }

  /** Notes how a round has left the slave. The caller still holds the lock. */
  leave(paths: SlavePaths, result: SyncResult): void {
    this.left = isInStep(result) ? markOf(paths) : undefined;
  }

  /** Whether nobody has changed the slave or its `.dat` since the last round, which ended in step. */
  isAsLeft(paths: SlavePaths): boolean {
    if (this.left === undefined) return false;
    const now = markOf(paths);
    return now.data === this.left.data && now.dat === this.left.dat;
  }

  /** The next round looks at the slave's bytes again. */
  forget(): void {
    this.left = undefined;
  }

  async close(): Promise<void> {
    await this.kept?.source.close();
    this.kept = undefined;
  }
}

/** Whether a round has found or made the slave equal to the master's finished transactions. */
export function isInStep({ exitCode, action, dryRun }: SyncResult): boolean {
  return exitCode === EXIT.ok && action !== 'off' && action !== 'busy' && !dryRun;
}

interface Mark {
  readonly data: string;
  readonly dat: string;
}

function markOf({ data, dat }: SlavePaths): Mark {
  return { data: identityOf(factsOfPath(data)), dat: identityOf(factsOfPath(dat)) };
}

/** Differs for two states of a file, unless a program has set back its time and kept its size. */
function identityOf(facts: FileFacts | undefined): string {
  return facts ? `${facts.device} ${facts.inode} ${facts.size} ${facts.mtime}` : 'none';
}
