import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import { WorkerJob } from '../pipeline/worker-job.js';
import { WorkerPool } from '../pipeline/worker-pool.js';
import { type FileEvents, type Inspector, isEnd, type OnPosition } from './inspect-file.js';
import { inspectPiece } from './inspect-piece.js';
import type { PieceRequest } from './inspect-task.js';
import { type Inspected, NearFile } from './near-file.js';
import type { PieceFacts, PieceTask } from './piece.js';
import { type PiecePlan, PieceQueue } from './piece-plan.js';
import { decodePiece, PIECE_BYTES } from './piece-stream.js';

const SLOTS = 8;

type OthersJob = WorkerJob<PieceRequest, PieceFacts>;
/** A piece that a worker inspects, or that this thread has inspected. */
type Job = OthersJob | { readonly part: PieceTask; readonly facts: PieceFacts };

/**
 * Inspects pieces in worker threads, several at a time, and reports them in file order.
 *
 * The start of a piece is a guess. If the piece before it ends elsewhere, the guess was wrong: all pieces after it are
 * discarded, and none of them has been reported yet. So the report is the same for any number of workers.
 *
 * As long as no records are requested, this thread would only wait, so it inspects pieces as well, from the time when
 * the workers are still starting. It does so only for a file on a local disk.
 */
export class PoolInspector implements Inspector {
  private readonly pool: WorkerPool;
  private readonly windowBytes: number;

  /** `window` belongs to this thread; `near`: the file is on a local disk. */
  constructor(
    workers: number,
    private readonly window: Window,
    private readonly deadline: ReadDeadline,
    private readonly onPosition: OnPosition,
    private readonly near = false,
  ) {
    this.windowBytes = window.size;
    this.pool = new WorkerPool('inspect', workers, SLOTS, PIECE_BYTES, deadline);
  }

  async run(file: Inspected, plan: PiecePlan, events: FileEvents): Promise<void> {
    const { pool, windowBytes } = this;
    pool.start();
    const near = this.near ? NearFile.open(file, this.deadline) : undefined;
    const queue = new PieceQueue(plan, file.size);
    const jobs: Job[] = [];
    try {
      for (;;) {
        let next = await queue.first();
        for (; next && pool.hasFreeLane; next = await queue.first()) {
          jobs.push(new WorkerJob(pool, file, { part: next, windowBytes }));
          queue.drop();
        }
        const [job] = jobs;
        if (!job) throw new Error('no piece is being inspected');
        if (near && next && next.requested !== 'records' && 'lane' in job && !job.isAnswered) {
          queue.drop();
          jobs.push({ part: next, facts: await inspectPiece(next, near, this.window, events.records) });
          continue;
        }
        const facts = 'lane' in job ? await this.deliver(job, events) : job.facts;
        jobs.shift();
        await events.piece(facts);
        this.onPosition(facts.end, file.size);
        if (isEnd(facts, file.size)) return;
        if ((jobs[0]?.part.start ?? (await queue.first())?.start) !== facts.end) {
          await this.cancel(jobs);
          queue.goTo(facts.end);
        }
      }
    } finally {
      await this.cancel(jobs);
      await near?.close();
    }
  }

  private async deliver(job: OthersJob, events: FileEvents): Promise<PieceFacts> {
    const take = (bytes: Uint8Array): void => decodePiece(bytes, events.records);
    const facts = await job.deliver({ position: job.part.start, take }, this.deadline);
    this.pool.release(job.lane);
    return facts;
  }

  private async cancel(jobs: Job[]): Promise<void> {
    await this.pool.cancel(jobs.splice(0).filter((job) => 'lane' in job));
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
