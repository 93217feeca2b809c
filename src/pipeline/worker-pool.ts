import { createRequire } from 'node:module';
import type { Piscina } from 'piscina';
import { type LaneMemory, LaneReader, makeLane } from './lane.js';
import { pause, type ReadDeadline } from './read-deadline.js';
import type { PoolData, WorkerAnswer, WorkerRequest, WorkerTask } from './worker-task.js';

/** A lane, and its number in the pool. */
export class PoolLane extends LaneReader {
  constructor(
    memory: LaneMemory,
    readonly number: number,
  ) {
    super(memory);
  }
}

/** The owner of a lane while a worker fills it. */
export interface LaneHolder {
  readonly lane: PoolLane;
  /** Resolves when the worker has released the lane. */
  ended(): Promise<void>;
}

const load = createRequire(import.meta.url);
const READY_CHECKS = 400;
const READY_PAUSE_MS = 5;

/** Worker threads that execute one task at a time each, and the lanes through which they hand over the results. */
export class WorkerPool {
  private readonly free: PoolLane[] = [];
  private readonly ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private pool: Piscina | undefined;

  /** `entry`: the file in workers/ that the threads load. Each lane has `slots` slots of `slotBytes` bytes. */
  constructor(
    private readonly entry: 'validate' | 'inspect',
    private readonly workers: number,
    private readonly slots: number,
    private readonly slotBytes: number,
    private readonly deadline: ReadDeadline,
  ) {}

  /** Starts the threads, unless they are running. */
  start(): void {
    if (this.pool) return;
    // Loaded only here, and by require, which is faster.
    const { Piscina } = load('piscina') as typeof import('piscina');
    // One lane per worker, and one that the main thread is still emptying.
    const lanes = Array.from({ length: this.workers + 1 }, () => makeLane(this.slots, this.slotBytes));
    for (const [number, memory] of lanes.entries()) this.free.push(new PoolLane(memory, number));
    this.pool = new Piscina({
      filename: load.resolve(`#workers/${this.entry}`),
      workerData: { ready: this.ready.buffer, lanes } satisfies PoolData,
      minThreads: this.workers,
      maxThreads: this.workers,
      // The second task waits in the worker, which then need not wait for this thread.
      concurrentTasksPerWorker: 2,
    });
  }

  /** Whether all threads have loaded their modules. */
  private get isReady(): boolean {
    return Atomics.load(this.ready, 0) >= this.workers;
  }

  get hasFreeLane(): boolean {
    return this.free.length > 0;
  }

  /** A lane for one task. `release` or `cancel` returns it. */
  takeLane(): PoolLane {
    const lane = this.free.pop();
    if (!lane) throw new Error('no lane is free');
    lane.reset();
    return lane;
  }

  release(lane: PoolLane): void {
    this.free.push(lane);
  }

  run<Request extends WorkerRequest, Facts>(task: WorkerTask<Request>): Promise<WorkerAnswer<Facts>> {
    if (!this.pool) throw new Error('the workers have not been started');
    return this.pool.run(task, { transferList: [task.port] });
  }

  /** Ends jobs that are no longer needed, and waits until their workers have released the lanes. */
  async cancel(jobs: LaneHolder[]): Promise<void> {
    for (const job of jobs) job.lane.cancel();
    if (!this.deadline.stuck) await Promise.all(jobs.map((job) => job.ended()));
    for (const job of jobs.splice(0)) this.release(job.lane);
  }

  async close(): Promise<void> {
    const { pool } = this;
    if (!pool) return;
    const ended = this.untilLoaded().then(() => pool.destroy());
    // A worker that hangs in a read ends when that returns, if ever; after a missed deadline it is not waited for.
    if (this.deadline.stuck) ended.catch(() => {});
    else await ended;
  }

  /** Node aborts the process when a thread is ended while it loads its modules, which takes some 50 ms. */
  private async untilLoaded(): Promise<void> {
    for (let probe = 0; probe < READY_CHECKS && !this.isReady; probe++) await pause(READY_PAUSE_MS);
  }
}
