import { type ChunkFacts, type ChunkTask, type ReadInto, readChunk } from './chunk.js';
import { RecordTape } from './record-tape.js';
import { ownWindow, withFile } from './worker-file.js';
import type { WorkerAnswer, WorkerRequest, WorkerTask } from './worker-task.js';

/** A chunk of a file, and what is requested besides its facts. */
export interface ChunkRequest extends WorkerRequest {
  readonly part: ChunkTask;
  readonly wantsBytes: boolean;
  readonly wantsRecords: boolean;
}

/**
 * Runs in a worker: opens the file afresh, reads and validates the chunk, and hands over its bytes. Requested bytes are
 * read straight into the lane. The records of a window follow it.
 */
export async function validate(task: WorkerTask<ChunkRequest>): Promise<WorkerAnswer<ChunkFacts>> {
  const { part, windowBytes, wantsBytes, wantsRecords } = task;
  return withFile(task, part.from, async (file, lane) => {
    const pieces: Uint8Array[] = [];
    const tape = wantsRecords ? new RecordTape(lane.slotBytes, (piece) => pieces.push(piece.slice())) : undefined;
    const report = (): void => {
      for (const piece of pieces.splice(0)) lane.put(piece, 'records');
    };
    const read: ReadInto = (window, length, position) => {
      if (wantsBytes) window.moveTo(lane.room());
      return file.read(window, length, position);
    };
    const deliver = (bytes: Uint8Array): void => {
      if (wantsBytes) lane.handOver(bytes.length, 'bytes');
      report();
    };
    const window = wantsBytes ? lane.window(windowBytes) : ownWindow(windowBytes);
    const facts = await readChunk(part, window, read, deliver, tape?.events);
    tape?.flush();
    report();
    return facts;
  });
}
