import { createRequire } from 'node:module';
import type { Piscina } from 'piscina';
import { findBoundary } from '../filestorage/boundary.js';
import type { Stop } from '../filestorage/stop.js';
import type { ChunkFacts, ChunkTask } from './chunk.js';
import type { ChunkSource, OnReached, Receiver, SourceOptions } from './chunk-source.js';
import { advance, cutAfter, nextTask } from './chunk-table.js';
import type { Resume } from './facts.js';
import { LaneReader, makeLane } from './lane.js';
import type { Master } from './master.js';
import { Interrupted, type Patience, pause } from './patience.js';
import { Job } from './pool-job.js';
import type { Window } from './window.js';

const MIB = 1 << 20;
const SMALLEST_SLOT = 1 << 16;

/** What every thread is given when it is made: a counter of the threads that have loaded their modules. */
export interface PoolData {
  readonly ready: SharedArrayBuffer;
}

const READY_LOOKS = 400;
const READY_PAUSE_MS = 5;

/**
 * Reads chunks in worker threads, several at a time, and delivers their bytes in order.
 *
 * A chunk's beginning is guessed before its predecessor has been walked; the stitch proves it: chunk n has to end
 * exactly where chunk n+1 begins. Where it does not, the guesses are thrown away and the chunk is read from its true
 * beginning. So what is delivered, and the chunks that are reported, are those of the inline source, whatever the
 * number of workers and the order in which they finish.
 */
export class PoolSource implements ChunkSource {
  private readonly lanes: LaneReader[] = [];
  private readonly free: LaneReader[] = [];
  private pool: Piscina | undefined;
  private readonly ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  constructor(
    readonly window: Window,
    private readonly workers: number,
    private readonly patience: Patience,
    private readonly options: SourceOptions,
  ) {}

  async run(master: Master, from: Resume, target: Receiver, onReached: OnReached): Promise<Stop> {
    await this.start();
    const { chunkBytes, onProgress } = this.options;
    const jobs: Job[] = [];
    let resume = from;
    try {
      this.submit(jobs, master, nextTask(resume, master.size, chunkBytes), target);
      for (;;) {
        await this.guessAhead(jobs, master, target);
        const job = jobs[0];
        if (!job) throw new Error('no chunk is being read');
        const facts = await job.deliver(this.patience, () => {
          if (this.patience.signal.aborted) throw new Interrupted();
          onProgress(job.position, master.size);
        });
        jobs.shift();
        this.free.push(job.lane);
        if (!target.write) onProgress(facts.end, master.size);
        if (facts.transactions > 0) {
          const seam = withSeam(facts, resume);
          resume = advance(resume, seam);
          target.goBackTo(resume.position);
          await onReached(resume, seam);
        }
        if (facts.stop.kind !== 'cut') return facts.stop;
        if (jobs[0]?.task.start !== resume.position) {
          await this.cancel(jobs);
          this.submit(jobs, master, nextTask(resume, master.size, chunkBytes), target);
        }
      }
    } finally {
      await this.cancel(jobs);
    }
  }

  async close(): Promise<void> {
    // A worker that hangs in a read cannot be ended; whoever has lost patience does not wait for it.
    if (!this.pool || this.patience.stuck) return;
    await this.untilLoaded(this.pool);
    await this.pool.destroy();
  }

  /** Node aborts the whole process when a thread is ended while it loads its modules; that takes some 50 ms. */
  private async untilLoaded(pool: Piscina): Promise<void> {
    for (let look = 0; look < READY_LOOKS && (this.ready[0] ?? 0) < pool.threads.length; look++) {
      await pause(READY_PAUSE_MS);
    }
  }

  private async start(): Promise<void> {
    if (this.pool) return;
    const { Piscina } = await import('piscina');
    const filename = createRequire(import.meta.url).resolve('#workers/validate');
    this.pool = new Piscina({
      filename,
      workerData: { ready: this.ready.buffer } satisfies PoolData,
      minThreads: this.workers,
      maxThreads: this.workers,
      concurrentTasksPerWorker: 1,
    });
    const slot = Math.floor(this.options.chunkBytes / 8 / SMALLEST_SLOT) * SMALLEST_SLOT;
    const slotBytes = Math.min(2 * MIB, Math.max(SMALLEST_SLOT, slot));
    // One lane a worker, and one whose chunk has been read and is being written.
    for (let n = 0; n < this.workers + 1; n++) this.lanes.push(new LaneReader(makeLane(slotBytes)));
    this.free.push(...this.lanes);
  }

  private submit(jobs: Job[], master: Master, chunk: ChunkTask, target: Receiver): void {
    const lane = this.free.pop();
    if (!lane || !this.pool) throw new Error('no lane is free');
    jobs.push(new Job(this.pool, lane, master, chunk, this.window.size, target));
  }

  /** Begins as many further chunks as there are lanes, at places that look like transaction boundaries. */
  private async guessAhead(jobs: Job[], master: Master, target: Receiver): Promise<void> {
    for (let last = jobs.at(-1); last && this.free.length > 0 && last.task.cutAt < master.size; last = jobs.at(-1)) {
      const { cutAt } = last.task;
      const length = await master.read(this.window, Math.min(this.window.size, master.size - cutAt), cutAt);
      const start = findBoundary(this.window.view, length, cutAt, master.size);
      if (start === undefined) return;
      const next = {
        start,
        from: start,
        hashState: '',
        cutAt: cutAfter(start, this.options.chunkBytes),
        limit: master.size,
        lastTid: 0n,
      };
      this.submit(jobs, master, next, target);
    }
  }

  /** Ends the jobs that are not wanted, and waits until their workers have let go of the lanes. */
  private async cancel(jobs: Job[]): Promise<void> {
    for (const job of jobs) job.lane.cancel();
    if (!this.patience.stuck) await Promise.all(jobs.map((job) => job.ended()));
    for (const job of jobs.splice(0)) this.free.push(job.lane);
  }
}

/** The order of tids across the seam of two chunks, which the second one's worker could not see. */
function withSeam(facts: ChunkFacts, before: Resume): ChunkFacts {
  const known = facts.warnings.some(({ position, rule }) => position === before.position && rule === 'tid-order');
  if (facts.firstTid > before.tid || known) return facts;
  const warning = { position: before.position, tid: facts.firstTid, rule: 'tid-order' } as const;
  return { ...facts, warnings: [warning, ...facts.warnings], warningCount: facts.warningCount + 1 };
}
