import { type FileEvents, type Inspected, type Inspector, isEnd, type OnPosition } from './inspect-file.js';
import type { PieceFacts, PieceTask } from './inspect-piece.js';
import type { PieceRequest } from './inspect-task.js';
import type { Patience } from './patience.js';
import { FIRST_PIECE, type PiecePlan } from './piece-plan.js';
import { decodePiece, PIECE_BYTES } from './piece-stream.js';
import { WorkerJob } from './worker-job.js';
import { WorkerPool } from './worker-pool.js';

const SLOTS = 8;

/**
 * Inspects pieces in worker threads, several at a time, and tells of them in the file's order.
 *
 * A piece that does not end where the next one was begun refutes the guess: what has been begun behind it is thrown away,
 * and nothing of that has been told yet. So what is told is the same for any number of workers.
 */
export class PoolInspector implements Inspector {
  private readonly pool: WorkerPool;

  constructor(
    workers: number,
    private readonly windowBytes: number,
    private readonly patience: Patience,
    private readonly onPosition: OnPosition,
  ) {
    this.pool = new WorkerPool('inspect', workers, SLOTS, PIECE_BYTES, patience);
  }

  async run(file: Inspected, plan: PiecePlan, events: FileEvents): Promise<void> {
    const { pool, windowBytes } = this;
    pool.start();
    const jobs: WorkerJob<PieceRequest, PieceFacts>[] = [];
    const begin = (part: PieceTask): void => {
      jobs.push(new WorkerJob(pool, file, { part, windowBytes }));
    };
    const take = (bytes: Uint8Array): void => decodePiece(bytes, events.records);
    try {
      let planned = await plan.pieceAt(FIRST_PIECE);
      begin(planned.task);
      for (;;) {
        while (planned.endKnown && pool.hasFreeLane && planned.task.cutAt < file.size) {
          planned = await plan.pieceAt(planned.task.cutAt);
          begin(planned.task);
        }
        const job = jobs[0];
        if (!job) throw new Error('no piece is being inspected');
        const facts = await job.deliver({ position: job.part.start, take }, this.patience);
        jobs.shift();
        pool.release(job.lane);
        await events.piece(facts);
        this.onPosition(facts.end, file.size);
        if (isEnd(facts, file.size)) return;
        if (jobs[0]?.part.start !== facts.end) {
          await pool.cancel(jobs);
          planned = await plan.pieceAt(facts.end);
          begin(planned.task);
        }
      }
    } finally {
      await pool.cancel(jobs);
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
