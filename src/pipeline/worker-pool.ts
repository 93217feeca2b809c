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

/** What holds a lane while a worker fills it. */
export interface LaneHolder {
  readonly lane: PoolLane;
  /** Resolves when the worker has let go of the lane. */
  ended(): Promise<void>;
}

const load = createRequire(import.meta.url);
const READY_CHECKS = 400;
const READY_PAUSE_MS = 5;

/** Worker threads that do one task at a time each, and the lanes by which they hand over what comes of it. */
export class WorkerPool {
  private readonly free: PoolLane[] = [];
  private readonly ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private pool: Piscina | undefined;

  /** `entry`: the file in workers/ that the threads load; `slots` of so many bytes are in each lane. */
  constructor(
    private readonly entry: 'validate' | 'inspect',
    private readonly workers: number,
    private readonly slots: number,
    private readonly slotBytes: number,
    private readonly deadline: ReadDeadline,
  ) {}

  /** Starts the threads, unless that has been done. */
  start(): void {
    if (this.pool) return;
    // Loaded only here, and by require, which takes less time.
    const { Piscina } = load('piscina') as typeof import('piscina');
    // One lane a worker, and one from which the main thread is still taking.
    const lanes = Array.from({ length: this.workers + 1 }, () => makeLane(this.slots, this.slotBytes));
    for (const [number, memory] of lanes.entries()) this.free.push(new PoolLane(memory, number));
    this.pool = new Piscina({
      filename: load.resolve(`#workers/${this.entry}`),
      workerData: { ready: this.ready.buffer, lanes } satisfies PoolData,
      minThreads: this.workers,
      maxThreads: this.workers,
      // The second one waits in the worker, which need not wait for this thread then.
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

  /** A lane for one task; it comes back by `release` or `cancel`. */
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

  /** Ends the jobs that are not wanted, and waits until their workers have let go of the lanes. */
  async cancel(jobs: LaneHolder[]): Promise<void> {
    for (const job of jobs) job.lane.cancel();
    if (!this.deadline.stuck) await Promise.all(jobs.map((job) => job.ended()));
    for (const job of jobs.splice(0)) this.release(job.lane);
  }

  async close(): Promise<void> {
    // A worker that hangs in a read cannot be ended; whoever has lost patience does not wait for it.
    if (!this.pool || this.deadline.stuck) return;
    await this.untilLoaded();
    await this.pool.destroy();
  }

  /** Node aborts the whole process when a thread is ended while it loads its modules; that takes some 50 ms. */
  private async untilLoaded(): Promise<void> {
    for (let probe = 0; probe < READY_CHECKS && !this.isReady; probe++) await pause(READY_PAUSE_MS);
  }
}
