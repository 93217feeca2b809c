import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { FileFacts } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Exchanged } from './copy.js';
import type { SlotKind } from './lane.js';
import { eventLoopTurn, Interrupted, type ReadDeadline } from './read-deadline.js';
import type { PoolLane, WorkerPool } from './worker-pool.js';
import type { WorkerAnswer, WorkerRequest } from './worker-task.js';

const STALL_CHECKS_PER_TIMEOUT = 10;
/** As long as there is something to take nothing else would be heard of: no signal, and no worker that has nothing to do. */
const SLOTS_A_TURN = 16;

/** A file that is opened by its path in other threads as well. */
export interface SharedFile {
  readonly path: string;
  readonly facts: Pick<FileFacts, 'device' | 'inode'>;
}

/** Takes what a worker hands over, slot by slot, in its order. */
export interface SlotReceiver {
  /** Where in the file it has come to: told when the worker gets no further. */
  readonly position: number;
  /** `bytes` hold until it returns. */
  take(bytes: Uint8Array, kind: SlotKind): void;
}

/** One request in a worker's hands, and what has come of it so far. */
export class WorkerJob<Request extends WorkerRequest, Facts> {
  readonly lane: PoolLane;
  private readonly port: MessagePort;
  private readonly answer: Promise<WorkerAnswer<Facts>>;
  private answered: WorkerAnswer<Facts> | undefined;
  private failure: unknown;
  private wake: () => void = () => {};

  constructor(
    pool: WorkerPool,
    private readonly file: SharedFile,
    private readonly request: Request,
  ) {
    this.lane = pool.takeLane();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.on('message', () => this.wake());
    const { path, facts } = file;
    const { device, inode } = facts;
    this.answer = pool.run({ ...request, path, device, inode, lane: this.lane.number, port: port2 });
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

  get part(): Request['part'] {
    return this.request.part;
  }

  /** The worker has ended, one way or another; what it has handed over may be left to take. */
  get isAnswered(): boolean {
    return this.answered !== undefined || this.failure !== undefined;
  }

  /** Lets `taker` take what the worker hands over, as it comes, and returns the facts when all of it has been taken. */
  async deliver(receiver: SlotReceiver, deadline: ReadDeadline): Promise<Facts> {
    for (let taken = 1; ; taken++) {
      if (deadline.signal.aborted) throw new Interrupted();
      const filled = this.lane.next();
      if (filled) {
        receiver.take(filled.bytes, filled.kind);
        this.lane.release();
        if (taken % SLOTS_A_TURN === 0) await eventLoopTurn();
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
      await this.news(receiver, deadline);
    }
  }

  /** Resolves when the worker has let go of the lane, however that ended. */
  async ended(): Promise<void> {
    await this.answer.catch(() => {});
    this.port.close();
  }

  /** The facts, once all that was handed over has arrived; the worker's faults as they would have come here. */
  private factsOf(answer: WorkerAnswer<Facts>): Facts | undefined {
    switch (answer.kind) {
      case 'facts':
        return this.lane.taken === answer.slots ? answer.facts : undefined;
      case 'exchanged':
        throw new Exchanged(this.file.path);
      case 'fault':
        throw new IoFault(answer.operation, answer.path, answer.code, answer.detail, answer.position);
      case 'cancelled':
        throw new Error('a job that is wanted was cancelled');
    }
  }

  /** Waits for a slot or the answer; gives up when the worker has been in one read for too long. */
  private async news(receiver: SlotReceiver, deadline: ReadDeadline): Promise<void> {
    let before: number | undefined;
    let checksWithoutProgress = 0;
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    if (!this.lane.sleep()) return;
    await deadline.orGiveUp(woken, (deadline.seconds * 1000) / STALL_CHECKS_PER_TIMEOUT, () => {
      const now = this.lane.readProgress;
      checksWithoutProgress = now !== undefined && now === before ? checksWithoutProgress + 1 : 0;
      before = now;
      if (checksWithoutProgress >= STALL_CHECKS_PER_TIMEOUT) {
        throw deadline.giveUp('read', this.file.path, receiver.position);
      }
    });
  }
}
