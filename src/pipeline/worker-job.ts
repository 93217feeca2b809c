import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { FileFacts } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { Exchanged } from './copy.js';
import type { SlotKind } from './lane.js';
import { eventLoopTurn, Interrupted, type ReadDeadline } from './read-deadline.js';
import type { PoolLane, WorkerPool } from './worker-pool.js';
import type { WorkerAnswer, WorkerRequest } from './worker-task.js';

const STALL_CHECKS_PER_TIMEOUT = 10;
/**
 * While slots are filled no other event would run: no signal, and no message of an idle worker. So yield after this
 * many.
 */
const SLOTS_A_TURN = 16;

/** A file that other threads open by its path as well. */
export interface SharedFile {
  readonly path: string;
  readonly facts: Pick<FileFacts, 'device' | 'inode'>;
}

/** Receives what a worker hands over, slot by slot, in order. */
export interface SlotReceiver {
  /** The position reached in the file, for the report of a worker that makes no progress. */
  readonly position: number;
  /** `bytes` are valid until it returns. */
  take(bytes: Uint8Array, kind: SlotKind): void;
}

/** One request that a worker executes, and its result so far. */
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

  /** The worker has ended, with or without success. Slots may be left to take. */
  get isAnswered(): boolean {
    return this.answered !== undefined || this.failure !== undefined;
  }

  /**
   * Passes what the worker hands over to `receiver`, as it arrives, and returns the facts when all of it has been
   * taken.
   */
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
      await this.waitForProgress(receiver, deadline);
    }
  }

  /** Resolves when the worker has released the lane, with or without success. */
  async ended(): Promise<void> {
    await this.answer.catch(() => {});
    this.port.close();
  }

  /** The facts, once all slots have arrived. Throws the worker's fault as if it had occurred here. */
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

  /** Waits for a slot or the answer. Gives up when the worker hangs in one read for the deadline's time. */
  private async waitForProgress(receiver: SlotReceiver, deadline: ReadDeadline): Promise<void> {
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
        throw deadline.giveUp(this.ended(), 'read', this.file.path, receiver.position);
      }
    });
  }
}
