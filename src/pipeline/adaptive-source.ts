import type { Stop } from '../filestorage/stop.js';
import { type ChunkSource, InlineSource, type OnReached, type Receiver, type SourceOptions } from './chunk-source.js';
import type { Master } from './master.js';
import type { PoolSource } from './pool-source.js';
import type { ReadDeadline } from './read-deadline.js';
import type { Resume } from './resume.js';
import type { Window } from './window.js';

/** Below this many chunks (256 MiB by default) starting workers takes longer than they save. */
const POOL_FROM_CHUNKS = 8;

/** Reads short tails inline and long ones with workers. Loads nothing of the pool before it is needed. */
export class AdaptiveSource implements ChunkSource {
  private readonly inline: InlineSource;
  private pool: PoolSource | undefined;

  /** `workers` 0: never a pool. */
  constructor(
    readonly window: Window,
    private readonly workers: number,
    private readonly deadline: ReadDeadline,
    private readonly options: SourceOptions,
  ) {
    this.inline = new InlineSource(window, options);
  }

  /**
   * Starts the workers in advance if `bytes` justify them: the start takes a while, and other work can run meanwhile.
   */
  async expect(bytes: number): Promise<void> {
    if (bytes >= this.threadsFrom) (await this.makePool()).start();
  }

  async run(master: Master, from: Resume, target: Receiver, onReached: OnReached): Promise<Stop> {
    if (master.size - from.position < this.threadsFrom) return this.inline.run(master, from, target, onReached);
    const pool = await this.makePool();
    return pool.run(master, from, target, onReached);
  }

  /** Bytes that justify a thread; Infinity if there are to be none. */
  get threadsFrom(): number {
    return this.workers > 0 ? POOL_FROM_CHUNKS * this.options.chunkBytes : Number.POSITIVE_INFINITY;
  }

  private async makePool(): Promise<PoolSource> {
    const { PoolSource } = await import('./pool-source.js');
    this.pool ??= new PoolSource(this.window, this.workers, this.deadline, this.options);
    return this.pool;
  }

  async close(): Promise<void> {
    await this.pool?.close();
  }
}
