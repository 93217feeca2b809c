import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { INDEX_PIECE_BYTES } from '../filestorage/index-writer.js';
import { cancelLane, LaneCancelled, LaneReader, LaneWriter, makeLane } from '../pipeline/lane.js';
import { LONGEST_TAPE } from '../pipeline/record-tape.js';
import { IndexLost, type IndexMaker } from './builder.js';
import { Command, type IndexThreadData } from './task.js';

const TAPES = 8;
const PIECES = 4;
/** A thread without progress for this time counts as lost. */
const DEADLINE_MS = 30_000;

/**
 * Builds an index in a separate thread, in parallel with the writes of a long copy, which keep the main thread busy.
 *
 * The pieces of the tape go there through one lane, as many as it has room for; the bytes of the index come back
 * through another. A lost thread costs only the index, which is then built by reading the file.
 */
export class IndexThread implements IndexMaker {
  private readonly data: IndexThreadData = {
    lane: makeLane(TAPES, LONGEST_TAPE),
    made: makeLane(PIECES, INDEX_PIECE_BYTES),
  };
  private readonly lane = new LaneWriter(this.data.lane, () => {}, DEADLINE_MS);
  private readonly made = new LaneReader(this.data.made);
  private readonly ended: Promise<void>;
  private lost = false;

  constructor() {
    const path = createRequire(import.meta.url).resolve('#workers/make-index');
    const thread = new Worker(path, { workerData: this.data });
    // If it fails, its lanes stop, and a thread that waits for them detects that.
    thread.on('error', () => {});
    this.ended = new Promise((resolve) => thread.once('exit', () => resolve()));
  }

  take(piece: Uint8Array): void {
    this.report(() => this.lane.put(piece, 'records'));
  }

  goBackTo(): void {
    this.command(Command.GoBack);
  }

  allAdded(): void {
    this.command(Command.End);
  }

  pieces(end: number): Iterable<Uint8Array> | undefined {
    const first = this.lost ? undefined : this.made.waitForNext(DEADLINE_MS);
    if (first?.kind !== 'records') return undefined;
    const covered = new DataView(first.bytes.buffer, first.bytes.byteOffset).getFloat64(0);
    this.made.release();
    return covered === end ? this.receive() : undefined;
  }

  async close(): Promise<void> {
    cancelLane(this.data.lane);
    cancelLane(this.data.made);
    await this.ended;
  }

  private *receive(): Generator<Uint8Array> {
    for (;;) {
      const slot = this.made.waitForNext(DEADLINE_MS);
      if (!slot) throw new IndexLost();
      if (slot.kind === 'records') return;
      yield slot.bytes;
      this.made.release();
    }
  }

  private command(command: Command): void {
    this.report(() => this.lane.put(Uint8Array.of(command), 'bytes'));
  }

  private report(put: () => void): void {
    if (this.lost) return;
    try {
      put();
    } catch (error) {
      if (!(error instanceof LaneCancelled)) throw error;
      this.lost = true;
    }
  }
}
