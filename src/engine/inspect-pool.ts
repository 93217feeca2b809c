import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { IoFault } from '../io/fault.js';
import { Exchanged } from './copy.js';
import { type FileEvents, type Inspected, type Inspector, isEnd, type OnPosition } from './inspect-file.js';
import type { PieceEvents, PieceFacts, PieceTask } from './inspect-piece.js';
import type { InspectAnswer, InspectTask } from './inspect-task.js';
import { LaneReader, makeLane } from './lane.js';
import { Interrupted, type Patience, pause } from './patience.js';
import { FIRST_PIECE, type PiecePlan } from './piece-plan.js';
import { decodePiece, PIECE_BYTES } from './piece-stream.js';
import type { PoolData } from './pool-source.js';

const STALL_LOOKS_PER_TIMEOUT = 10;
const READY_LOOKS = 400;
const READY_PAUSE_MS = 5;

/**
 * Inspects pieces in worker threads, several at a time, and tells of them in the file's order.
 *
 * A piece that does not end where the next one was begun refutes the guess: what has been begun behind it is thrown away,
 * and nothing of that has been told yet. So what is told is the same for any number of workers.
 */
export class PoolInspector implements Inspector {
  private readonly free: LaneReader[] = [];
  private readonly ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private pool: Piscina | undefined;

  constructor(
    private readonly workers: number,
    private readonly windowBytes: number,
    private readonly patience: Patience,
    private readonly onPosition: OnPosition,
  ) {}

  async run(file: Inspected, plan: PiecePlan, events: FileEvents): Promise<void> {
    const pool = await this.start();
    const jobs: Job[] = [];
    const begin = (task: PieceTask): void => {
      const lane = this.free.pop();
      if (!lane) throw new Error('no lane is free');
      jobs.push(new Job(pool, lane, file, task, this.windowBytes));
    };
    try {
      let planned = await plan.pieceAt(FIRST_PIECE);
      begin(planned.task);
      for (;;) {
        while (planned.endKnown && this.free.length > 0 && planned.task.cutAt < file.size) {
          planned = await plan.pieceAt(planned.task.cutAt);
          begin(planned.task);
        }
        const job = jobs[0];
        if (!job) throw new Error('no piece is being inspected');
        const facts = await job.deliver(events.records, this.patience);
        jobs.shift();
        this.free.push(job.lane);
        await events.piece(facts);
        this.onPosition(facts.end, file.size);
        if (isEnd(facts, file.size)) return;
        if (jobs[0]?.task.start !== facts.end) {
          await this.cancel(jobs);
          planned = await plan.pieceAt(facts.end);
          begin(planned.task);
        }
      }
    } finally {
      await this.cancel(jobs);
    }
  }

  async close(): Promise<void> {
    // A worker that hangs in a read cannot be ended; whoever has lost patience does not wait for it.
    if (!this.pool || this.patience.stuck) return;
    // Node aborts the whole process when a thread is ended while it loads its modules; that takes some 50 ms.
    for (let look = 0; look < READY_LOOKS && (this.ready[0] ?? 0) < this.pool.threads.length; look++) {
      await pause(READY_PAUSE_MS);
    }
    await this.pool.destroy();
  }

  private async start(): Promise<Piscina> {
    if (this.pool) return this.pool;
    const { Piscina } = await import('piscina');
    this.pool = new Piscina({
      filename: createRequire(import.meta.url).resolve('#workers/inspect'),
      workerData: { ready: this.ready.buffer } satisfies PoolData,
      minThreads: this.workers,
      maxThreads: this.workers,
      concurrentTasksPerWorker: 1,
    });
    // One lane a worker, and one of whose piece the main thread is being told.
    for (let n = 0; n < this.workers + 1; n++) this.free.push(new LaneReader(makeLane(PIECE_BYTES)));
    return this.pool;
  }

  /** Ends the jobs that are not wanted, and waits until their workers have let go of the lanes. */
  private async cancel(jobs: Job[]): Promise<void> {
    for (const job of jobs) job.lane.cancel();
    if (!this.patience.stuck) await Promise.all(jobs.map((job) => job.ended()));
    for (const job of jobs.splice(0)) this.free.push(job.lane);
  }
}

/** One piece in a worker's hands, and what has come of it so far. */
class Job {
  private told = 0;
  private readonly arrived: number[] = [];
  private readonly port: MessagePort;
  private readonly answer: Promise<InspectAnswer>;
  private answered: InspectAnswer | undefined;
  private failure: unknown;
  private wake: () => void = () => {};

  constructor(
    pool: Piscina,
    readonly lane: LaneReader,
    private readonly file: Inspected,
    readonly task: PieceTask,
    windowBytes: number,
  ) {
    lane.reset();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.on('message', (length: number) => {
      this.arrived.push(length);
      this.wake();
    });
    const { path, facts } = file;
    const { device, inode } = facts;
    const request: InspectTask = { path, device, inode, piece: task, lane: lane.memory, port: port2, windowBytes };
    this.answer = pool.run(request, { transferList: [port2] });
    this.answer.then(
      (answer) => {
        this.answered = answer;
        this.wake();
      },
      (error) => {
        this.failure = error;
        this.wake();
      },
    );
  }

  /** Tells of the piece as it comes, and returns its facts when all is told. */
  async deliver(events: PieceEvents, patience: Patience): Promise<PieceFacts> {
    for (;;) {
      if (patience.signal.aborted) throw new Interrupted();
      const length = this.arrived.shift();
      if (length !== undefined) {
        decodePiece(this.lane.slot(length), events);
        this.told += length;
        this.lane.release();
        continue;
      }
      if (this.failure) throw this.failure;
      if (this.answered) {
        const facts = this.factsOf(this.answered);
        if (facts) {
          this.port.close();
          return facts;
        }
      }
      await this.news(patience);
    }
  }

  /** Resolves when the worker has let go of the lane, however that ended. */
  async ended(): Promise<void> {
    await this.answer.catch(() => {});
    this.port.close();
  }

  /** The facts, once all that was told has arrived; the worker's faults as they would have come here. */
  private factsOf(answer: InspectAnswer): PieceFacts | undefined {
    switch (answer.kind) {
      case 'facts':
        return this.told === answer.told ? answer.facts : undefined;
      case 'exchanged':
        throw new Exchanged(this.file.path);
      case 'fault':
        throw new IoFault(answer.operation, answer.path, answer.code, answer.detail, answer.position);
      case 'cancelled':
        throw new Error('a piece that is wanted was cancelled');
    }
  }

  /** Waits for a slot or the answer; gives up when the worker has been in one read for too long. */
  private async news(patience: Patience): Promise<void> {
    if (this.arrived.length > 0) return;
    let before: number | undefined;
    let looksWithoutProgress = 0;
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    await patience.orGiveUp(woken, (patience.seconds * 1000) / STALL_LOOKS_PER_TIMEOUT, () => {
      const now = this.lane.readProgress;
      looksWithoutProgress = now !== undefined && now === before ? looksWithoutProgress + 1 : 0;
      before = now;
      if (looksWithoutProgress >= STALL_LOOKS_PER_TIMEOUT) {
        throw patience.giveUp('read', this.file.path, this.task.start);
      }
    });
  }
}
