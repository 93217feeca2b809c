import { BlobNamesCollector, NO_BLOBS } from '../filestorage/blob-names.js';
import { STATUS_PACKED, TRAILER_LENGTH } from '../filestorage/layout.js';
import { type Problem, Problems } from '../filestorage/problem.js';
import type { WalkWarning } from '../filestorage/stop.js';
import { Walk } from '../filestorage/walk.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import { readsTo } from '../pipeline/chunk.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import { BackPointers } from './back-pointers.js';
import { ChunkHashes } from './chunk-hashes.js';
import { resumeAfter } from './go-on.js';
import type { PieceEvents, PieceFacts, PieceTask, Tail } from './piece.js';
import { PointerBalance } from './pointer-balance.js';

/**
 * Inspects a piece: its structure, also after damage; the targets of its back pointers; the checksums of its chunks.
 * It is total, like the walk, and its memory is bounded. `events` are called only if records are requested.
 */
export async function inspectPiece(
  task: PieceTask,
  file: Readable,
  window: Window,
  events: PieceEvents,
): Promise<PieceFacts> {
  return new Inspection(task, file, window, events).run();
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** Its walk calls it as an object with methods: closures would be created and compiled again for each piece. */
class Inspection implements WalkEvents {
  private readonly problems = new Problems();
  private readonly pointers: BackPointers;
  private readonly hashes: ChunkHashes;
  private readonly balance: PointerBalance | undefined;
  private readonly blobs: BlobNamesCollector | undefined;
  /** Receives the records; undefined when nothing about their pointers is requested. */
  private readonly receiver: PieceEvents | undefined;
  private walk: Walk;
  /** Position of the walk's next byte. */
  private from: number;
  private done = false;
  private tail: Tail = 'none';
  private firstTid = 0n;
  private firstAt = 0;
  private lastEnd = 0;
  private transactions = 0;
  private records = 0;

  constructor(
    private readonly task: PieceTask,
    private readonly file: Readable,
    private readonly window: Window,
    events: PieceEvents,
  ) {
    this.balance = task.requested === 'balance' ? new PointerBalance(task.start) : undefined;
    this.receiver = task.requested === 'records' ? events : this.balance;
    this.blobs = task.namesBlobs ? new BlobNamesCollector() : undefined;
    this.pointers = new BackPointers(file);
    this.hashes = new ChunkHashes(task.chunks, window, (chunk) => this.wrongChecksum(chunk));
    this.from = task.start;
    this.walk = this.walkFrom(task.start, 0n);
  }

  async run(): Promise<PieceFacts> {
    const { task, window, hashes } = this;
    for (let position = task.start; !this.done || position < hashes.end; ) {
      const end = readsTo(task, position, Math.max(this.walk.headerEnd, hashes.end));
      const requested = Math.min(window.size, end - position);
      const length = requested > 0 ? await this.file.read(window, requested, position) : 0;
      hashes.take(position, length);
      const isLast = length < requested || position + length >= task.limit;
      if (!this.done) await this.walkOver(position, length, isLast);
      position += length;
      if (isLast) break;
    }
    hashes.finish();
    return {
      start: task.start,
      end: this.walk.end,
      firstTid: this.firstTid,
      firstAt: this.firstAt,
      lastTid: this.walk.lastTid,
      lastEnd: this.lastEnd,
      transactions: this.transactions,
      records: this.records,
      problems: this.problems.kept,
      problemCount: this.problems.count,
      tail: this.tail,
      blobs: this.blobs?.names ?? NO_BLOBS,
      balance: this.balance?.value,
    };
  }

  /** Feeds the window's bytes to the walk. When damage stops it, a new walk resumes after the damage. */
  private async walkOver(position: number, length: number, isLast: boolean): Promise<void> {
    const { task, window } = this;
    const windowEnd = position + length;
    while (!this.done) {
      if (this.walk.stop === undefined && this.from < windowEnd) {
        const offset = this.from - position;
        this.walk.feed(new DataView(window.bytes.buffer, window.bytes.byteOffset + offset), length - offset);
        this.from = windowEnd;
      }
      if (isLast && this.from >= windowEnd) this.walk.finish();
      await this.pointers.follow((wrong) => {
        this.problem({ ...wrong, rule: 'back-pointer', severity: 'unnoticed' });
      });
      const { stop } = this.walk;
      if (stop === undefined) return;
      if (stop.kind === 'end' || stop.kind === 'cut') {
        this.done = true;
        return;
      }
      const { next, tail, problem } = await resumeAfter(stop, this.file, task);
      if (problem) this.problem(problem);
      this.tail = tail;
      if (next === undefined) {
        this.done = true;
        return;
      }
      this.receiver?.gap(next);
      this.pointers.forget();
      this.blobs?.forget();
      this.walk = this.walkFrom(next, this.walk.lastTid);
      this.from = next;
      if (next >= task.cutAt || next >= task.limit) this.done = true;
      else if (next >= windowEnd) return;
    }
  }

  private walkFrom(start: number, lastTid: bigint): Walk {
    const { cutAt, limit } = this.task;
    return new Walk({ start, limit, cutAt, lastTid, pointersUnchecked: true, blobs: this.blobs }, this);
  }

  onRecord(
    position: number,
    oidHigh: number,
    oidLow: number,
    previous: number,
    dataLength: number,
    backPointer: number,
  ): void {
    this.records++;
    if (!this.receiver) return;
    if (dataLength === 0 && backPointer > 0) this.pointers.add(position, oidHigh, oidLow, backPointer);
    this.receiver.record(position, oidHigh, oidLow, previous);
  }

  onTransaction(position: number, length: number, tid: bigint, status: number): void {
    if (this.transactions === 0) {
      this.firstTid = tid;
      this.firstAt = position;
    }
    this.transactions++;
    this.lastEnd = position + length + TRAILER_LENGTH;
    this.pointers.complete(position, tid);
    this.receiver?.transaction(this.lastEnd, status === STATUS_PACKED);
    if (tid === ALL_ONES) {
      const message = 'a tid of all ones: ZODB reads no further';
      this.problem({ position, within: position, tid, rule: 'tid-order', message, severity: 'truncated' });
    }
  }

  onWarning({ position, tid, rule }: WalkWarning): void {
    const { message, severity } = WARNINGS[rule];
    this.problem({ position, within: position, tid, rule, message, severity });
  }

  private wrongChecksum({ start, end, firstTid }: ChunkLine): void {
    const message = `the bytes ${start} to ${end} do not have the checksum that they had when they were copied`;
    this.problem({ position: start, within: start, tid: firstTid, rule: 'checksum', message, severity: 'unnoticed' });
  }

  private problem(problem: Problem): void {
    this.problems.add(problem);
  }
}

const WARNINGS: Readonly<Record<WalkWarning['rule'], Pick<Problem, 'message' | 'severity'>>> = {
  'tid-order': { message: 'the tid is not above that of the transaction before', severity: 'warned' },
  'unknown-status': { message: 'the status is none that ZODB knows', severity: 'warned' },
  'record-tid': { message: 'records of this transaction have another tid than its own', severity: 'unnoticed' },
};
