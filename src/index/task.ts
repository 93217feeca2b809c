import { encodeIndex } from '../filestorage/index-writer.js';
import { cancelLane, LaneCancelled, type LaneMemory, LaneReader, LaneWriter } from '../pipeline/lane.js';
import { IndexBuilder } from './builder.js';

/** What the thread that builds an index receives: the lane of its input, and the lane of its output. */
export interface IndexThreadData {
  /** Pieces of a tape, as records; a Command, as bytes. */
  readonly lane: LaneMemory;
  /**
   * As records, the position up to which the index covers the file (NaN: there is no index); then its bytes; then an
   * empty piece of records as the end mark.
   */
  readonly made: LaneMemory;
}

/** A command between records: one byte. */
export enum Command {
  /** The transaction whose records were sent last breaks off. */
  GoBack,
  End,
}

/** Runs in a separate thread: receives records until the end, then hands over the index. */
export function makeIndexOfReceived({ lane, made }: IndexThreadData): void {
  try {
    const builder = new IndexBuilder();
    if (receiveAll(new LaneReader(lane), builder)) handOver(builder, new LaneWriter(made, () => {}));
  } catch (error) {
    if (!(error instanceof LaneCancelled)) throw error;
  } finally {
    // Wakes the main thread if it waits for this one.
    cancelLane(lane);
    cancelLane(made);
  }
}

/** Returns whether the end was received. */
function receiveAll(lane: LaneReader, builder: IndexBuilder): boolean {
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
