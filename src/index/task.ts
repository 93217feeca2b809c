import { encodeIndex } from '../filestorage/index-writer.js';
import { cancelLane, LaneCancelled, type LaneMemory, LaneReader, LaneWriter } from '../pipeline/lane.js';
import { IndexBuilder } from './builder.js';

/** What the thread that makes an index is given: the lane by which it is told, and the one for what it has made. */
export interface IndexThreadData {
  /** Pieces of a tape as records; a Command as bytes. */
  readonly lane: LaneMemory;
  /** As records, up to where the index covers the file (NaN: there is none); its bytes; and records of nothing at the end. */
  readonly made: LaneMemory;
}

/** What the thread is told beside records: one byte. */
export enum Command {
  /** The transaction that was being told breaks off. */
  GoBack,
  End,
}

/** Runs in a thread of its own: takes what it is told until the end, then hands the index over. */
export function makeIndexOfReceived({ lane, made }: IndexThreadData): void {
  try {
    const builder = new IndexBuilder();
    if (takeAll(new LaneReader(lane), builder)) handOver(builder, new LaneWriter(made, () => {}));
  } catch (error) {
    if (!(error instanceof LaneCancelled)) throw error;
  } finally {
    // Whoever waits for this thread is not to wait any longer.
    cancelLane(lane);
    cancelLane(made);
  }
}

/** Whether it has been told all. */
function takeAll(lane: LaneReader, builder: IndexBuilder): boolean {
  for (let slot = lane.waitForNext(); slot; slot = lane.waitForNext()) {
    if (slot.kind === 'records') builder.take(slot.bytes);
    else if (slot.bytes[0] === Command.End) return true;
    else builder.goBackTo();
    lane.release();
  }
  return false;
}

function handOver(builder: IndexBuilder, made: LaneWriter): void {
  const { index, end, spoiled } = builder;
  const covered = new DataView(new ArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  covered.setFloat64(0, spoiled ? Number.NaN : end);
  made.put(new Uint8Array(covered.buffer), 'records');
  if (!spoiled) for (const piece of encodeIndex(index, end)) made.put(piece, 'bytes');
  made.put(new Uint8Array(), 'records');
}
