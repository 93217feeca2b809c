import type { Stop } from '../filestorage/stop.js';
import { chunkAt } from '../standby/dat.js';
import type { ChunkFacts, ChunkTask } from './chunk.js';
import type { ChunkSource, OnReached, Receiver, SourceOptions } from './chunk-source.js';
import { advance, cutAfter, nextTask } from './chunk-table.js';
import { guessBoundary } from './guess-boundary.js';
import type { SlotKind } from './lane.js';
import type { Master } from './master.js';
import type { ReadDeadline } from './read-deadline.js';
import type { Resume } from './resume.js';
import type { ChunkRequest } from './validate-task.js';
import type { Window } from './window.js';
import { type SlotReceiver, WorkerJob } from './worker-job.js';
import { WorkerPool } from './worker-pool.js';

/** Slots of a window each. Their total should stay in the processor's cache until it is written. */
const SLOTS = 8;
const SMALLEST_SLOT = 1 << 16;

type Job = WorkerJob<ChunkRequest, ChunkFacts>;

/**
 * Reads chunks in worker threads, several at a time, and delivers their bytes in order.
 *
 * A chunk's beginning is guessed before its predecessor has been walked. The stitch verifies the guess: chunk n must
 * end exactly where chunk n+1 begins. If it does not, the guesses are discarded and the chunk is read from its true
 * beginning. So the delivered bytes and the reported chunks are those of the inline source, for any number of workers
 * and any order in which they finish.
 */
export class PoolSource implements ChunkSource {
  private readonly pool: WorkerPool;

  constructor(
    readonly window: Window,
    workers: number,
    private readonly deadline: ReadDeadline,
    private readonly options: SourceOptions,
  ) {
    this.pool = new WorkerPool('validate', workers, SLOTS, Math.max(SMALLEST_SLOT, window.size), deadline);
  }

  /** Starts the threads, unless they are running. */
  start(): void {
    this.pool.start();
  }

  async run(master: Master, from: Resume, target: Receiver, onReached: OnReached): Promise<Stop> {
    const { pool } = this;
    pool.start();
    const { chunkBytes, onProgress } = this.options;
    const jobs: Job[] = [];
    let resume = from;
    try {
      await this.submit(jobs, master, nextTask(resume, master.size, chunkBytes, target.knownChunks), target);
      for (;;) {
        await this.guessAhead(jobs, master, target);
        const job = jobs[0];
        if (!job) throw new Error('no chunk is being read');
        const receiver = new ChunkReceiver(target, job.part.from, (position) => onProgress(position, master.size));
        const facts = await job.deliver(receiver, this.deadline);
        jobs.shift();
        pool.release(job.lane);
        if (!target.write) onProgress(facts.end, master.size);
        if (facts.transactions > 0) {
          const seam = withSeam(facts, resume);
          resume = advance(resume, seam);
          target.goBackTo(resume.position);
          await onReached(resume, seam);
        }
        if (facts.stop.kind !== 'cut') return facts.stop;
        if (jobs[0]?.part.start !== resume.position) {
          await pool.cancel(jobs);
          await this.submit(jobs, master, nextTask(resume, master.size, chunkBytes, target.knownChunks), target);
        }
      }
    } finally {
      await pool.cancel(jobs);
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  private async submit(jobs: Job[], master: Master, chunk: ChunkTask, target: Receiver): Promise<void> {
    const finishedEnd = await master.finishedEnd(chunk.cutAt + this.window.size);
    const request: ChunkRequest = {
      part: { ...chunk, unhashed: target.unhashed === true, namesBlobs: target.namesBlobs === true, finishedEnd },
      windowBytes: this.window.size,
      wantsBytes: target.write !== undefined,
      wantsRecords: target.records !== undefined,
    };
    jobs.push(new WorkerJob(this.pool, master, request));
  }

  /** Begins as many further chunks as there are free lanes, at places that look like transaction boundaries. */
  private async guessAhead(jobs: Job[], master: Master, target: Receiver): Promise<void> {
    for (let last = jobs.at(-1); last && this.pool.hasFreeLane && last.part.cutAt < master.size; last = jobs.at(-1)) {
      const { cutAt } = last.part;
      const known = chunkAt(target.knownChunks ?? [], cutAt);
      const start = known?.start === cutAt ? cutAt : await guessBoundary(master, this.window, cutAt);
      if (start === undefined) return;
      const next = {
        start,
        from: start,
        hashState: '',
        cutAt: known?.start === start ? known.end : cutAfter(start, this.options.chunkBytes),
        limit: master.size,
        lastTid: 0n,
      };
      await this.submit(jobs, master, next, target);
    }
  }
}

/** Checks the order of tids across the seam of two chunks, which the second one's worker could not see. */
function withSeam(facts: ChunkFacts, before: Resume): ChunkFacts {
  const known = facts.warnings.some(({ position, rule }) => position === before.position && rule === 'tid-order');
  if (facts.firstTid > before.tid || known) return facts;
  const warning = { position: before.position, tid: facts.firstTid, rule: 'tid-order' } as const;
  return { ...facts, warnings: [warning, ...facts.warnings], warningCount: facts.warningCount + 1 };
}

/** Passes what a worker hands over of a chunk to the chunk's receiver. */
class ChunkReceiver implements SlotReceiver {
  position: number;

  /**
   * `from`: where the chunk's bytes begin. `onPosition` is called after each slot with the end of the delivered bytes.
   */
  constructor(
    private readonly target: Receiver,
    from: number,
    private readonly onPosition: (position: number) => void,
  ) {
    this.position = from;
  }

  take(bytes: Uint8Array, kind: SlotKind): void {
    if (kind === 'records') {
      this.target.records?.take(bytes);
    } else {
      this.target.write?.(bytes, this.position);
      this.position += bytes.length;
    }
    this.onPosition(this.position);
  }
}
