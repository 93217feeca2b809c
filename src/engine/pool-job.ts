import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { IoFault } from '../io/fault.js';
import type { ChunkFacts, ChunkTask } from './chunk.js';
import type { Receiver } from './chunk-source.js';
import { Exchanged } from './copy.js';
import type { LaneReader } from './lane.js';
import type { Master } from './master.js';
import type { Patience } from './patience.js';
import { replay } from './record-tape.js';
import type { Filled, ValidateAnswer, ValidateTask } from './validate-task.js';

const STALL_LOOKS_PER_TIMEOUT = 10;

/** One chunk in a worker's hands, and what has come of it so far. */
export class Job {
  /** Up to where its bytes have been delivered. */
  position: number;
  private readonly arrived: Filled[] = [];
  private readonly port: MessagePort;
  private readonly answer: Promise<ValidateAnswer>;
  private answered: ValidateAnswer | undefined;
  private failure: unknown;
  private wake: () => void = () => {};

  constructor(
    pool: Piscina,
    readonly lane: LaneReader,
    private readonly master: Master,
    readonly task: ChunkTask,
    windowBytes: number,
    private readonly target: Receiver,
  ) {
    lane.reset();
    this.position = task.from;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.on('message', (filled: Filled) => {
      this.arrived.push(filled);
      this.wake();
    });
    const { path, facts } = master;
    const request: ValidateTask = {
      path,
      device: facts.device,
      inode: facts.inode,
      chunk: { ...task, unhashed: target.unhashed === true },
      lane: lane.memory,
      port: port2,
      windowBytes,
      wantsBytes: target.write !== undefined,
      wantsRecords: target.events !== undefined,
    };
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

  /** Delivers what is wanted of the chunk as it comes, and returns its facts when all is delivered. */
  async deliver(patience: Patience, onPiece: () => void): Promise<ChunkFacts> {
    for (;;) {
      const filled = this.arrived.shift();
      if (filled) {
        this.take(filled);
        this.lane.release();
        onPiece();
        continue;
      }
      if (this.failure) throw this.failure;
      if (this.answered) {
        const facts = this.factsOf(this.answered);
        if (facts) return this.end(facts);
      }
      await this.news(patience);
    }
  }

  /** Resolves when the worker has let go of the lane, however that ended. */
  async ended(): Promise<void> {
    await this.answer.catch(() => {});
    this.port.close();
  }

  private take({ length, kind }: Filled): void {
    const bytes = this.lane.slot(length);
    if (kind === 'records') {
      replay(bytes, this.target.events ?? {});
      return;
    }
    this.target.write?.(bytes, this.position);
    this.position += length;
  }

  private end(facts: ChunkFacts): ChunkFacts {
    this.port.close();
    return facts;
  }

  /** The facts, once all that was delivered has arrived; the worker's faults as they would have come here. */
  private factsOf(answer: ValidateAnswer): ChunkFacts | undefined {
    switch (answer.kind) {
      case 'facts':
        return this.lane.taken === answer.slots ? answer.facts : undefined;
      case 'exchanged':
        throw new Exchanged(this.master.path);
      case 'fault':
        throw new IoFault(answer.operation, answer.path, answer.code, answer.detail, answer.position);
      case 'cancelled':
        throw new Error('a chunk that is wanted was cancelled');
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
      if (looksWithoutProgress >= STALL_LOOKS_PER_TIMEOUT)
        throw patience.giveUp('read', this.master.path, this.position);
    });
  }
}
