import { createRequire } from 'node:module';
import type { Piscina } from 'piscina';
import { LaneReader, makeLane } from './lane.js';
import { type Patience, pause } from './patience.js';
import type { WorkerAnswer, WorkerRequest, WorkerTask } from './worker-task.js';

/** What every thread is given when it is made: a counter of the threads that have loaded their modules. */
export interface PoolData {
  readonly ready: SharedArrayBuffer;
}

/** What holds a lane while a worker fills it. */
export interface LaneHolder {
  readonly lane: LaneReader;
  /** Resolves when the worker has let go of the lane. */
  ended(): Promise<void>;
}

const READY_LOOKS = 400;
const READY_PAUSE_MS = 5;

/** Worker threads that do one task at a time each, and the lanes by which they hand over what comes of it. */
export class WorkerPool {
  private readonly free: LaneReader[] = [];
  private readonly ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private pool: Piscina | undefined;

  /** `entry`: the file in workers/ that the threads load. */
  constructor(
    private readonly entry: 'validate' | 'inspect',
    private readonly workers: number,
    private readonly slotBytes: number,
    private readonly patience: Patience,
  ) {}

  /** Starts the threads, unless that has been done. */
  async start(): Promise<void> {
    if (this.pool) return;
    const { Piscina } = await import('piscina');
    this.pool = new Piscina({
      filename: createRequire(import.meta.url).resolve(`#workers/${this.entry}`),
      workerData: { ready: this.ready.buffer } satisfies PoolData,
      minThreads: this.workers,
      maxThreads: this.workers,
      concurrentTasksPerWorker: 1,
    });
    // One lane a worker, and one from which the main thread is still taking.
    for (let n = 0; n < this.workers + 1; n++) this.free.push(new LaneReader(makeLane(this.slotBytes)));
  }

  get hasFreeLane(): boolean {
    return this.free.length > 0;
  }

  /** A lane for one task; it comes back by `release` or `cancel`. */
  takeLane(): LaneReader {
    const lane = this.free.pop();
    if (!lane) throw new Error('no lane is free');
    lane.reset();
    return lane;
  }

  release(lane: LaneReader): void {
    this.free.push(lane);
  }

  run<Request extends WorkerRequest, Facts>(task: WorkerTask<Request>): Promise<WorkerAnswer<Facts>> {
    if (!this.pool) throw new Error('the workers have not been started');
    return this.pool.run(task, { transferList: [task.port] });
  }

  /** Ends the jobs that are not wanted, and waits until their workers have let go of the lanes. */
  async cancel(jobs: LaneHolder[]): Promise<void> {
    for (const job of jobs) job.lane.cancel();
    if (!this.patience.stuck) await Promise.all(jobs.map((job) => job.ended()));
    for (const job of jobs.splice(0)) this.release(job.lane);
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
}
