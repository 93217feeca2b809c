import { type ChunkFacts, type ChunkTask, readChunk } from './chunk.js';
import { RecordTape } from './record-tape.js';
import { withFile } from './worker-file.js';
import type { WorkerAnswer, WorkerRequest, WorkerTask } from './worker-task.js';

/** A chunk of a file, and what is wanted of it beside its facts. */
export interface ChunkRequest extends WorkerRequest {
  readonly part: ChunkTask;
  readonly wantsBytes: boolean;
  readonly wantsRecords: boolean;
}

/** Runs in a worker: opens the file afresh, reads and validates the chunk, and hands on its bytes. */
export async function validate(task: WorkerTask<ChunkRequest>): Promise<WorkerAnswer<ChunkFacts>> {
  return withFile(task, async (file, window, lane) => {
    const tape = task.wantsRecords ? new RecordTape(task.lane.slotBytes, (piece) => lane.putRecords(piece)) : undefined;
    const facts = await readChunk(
      task.part,
      window,
      file.read,
      (bytes) => {
        if (task.wantsBytes) lane.put(bytes);
      },
      tape?.events,
    );
    tape?.flush();
    return facts;
  });
}
