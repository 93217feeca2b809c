import { ownWindow, withFile } from '../pipeline/worker-file.js';
import type { WorkerAnswer, WorkerRequest, WorkerTask } from '../pipeline/worker-task.js';
import { inspectPiece } from './inspect-piece.js';
import type { PieceFacts, PieceTask } from './piece.js';
import { PieceEncoder } from './piece-stream.js';

/** A piece of a file. The worker sends its records through its lane. */
export interface PieceRequest extends WorkerRequest {
  readonly part: PieceTask;
}

/** Runs in a worker: opens the file again and inspects the piece. */
export async function inspect(task: WorkerTask<PieceRequest>): Promise<WorkerAnswer<PieceFacts>> {
  return withFile(task, task.part.start, async (file, lane) => {
    const encoder = new PieceEncoder((bytes) => lane.put(bytes, 'records'));
    const facts = await inspectPiece(task.part, file, ownWindow(task.windowBytes), encoder);
    encoder.flush();
    return facts;
  });
}
