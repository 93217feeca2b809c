import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { LaneCancelled, LaneWriter } from './lane.js';
import { ReadAhead } from './read-ahead.js';
import type { Readable } from './scan.js';
import { Window } from './window.js';
import type { Filled, WorkerAnswer, WorkerTask } from './worker-task.js';

const TRANSIENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);

let window: Window | undefined;

/**
 * Runs in a worker: opens the task's file afresh, lets `use` make its facts of it, and closes it. What `use` has put into
 * the lane is handed over to the last byte.
 */
export async function withFile<Facts>(
  task: WorkerTask,
  use: (file: Readable, window: Window, lane: LaneWriter) => Promise<Facts>,
): Promise<WorkerAnswer<Facts>> {
  const { part, path, port, windowBytes } = task;
  if (window?.size !== windowBytes) window = new Window(windowBytes);
  let file: OpenFile | undefined;
  let ahead: ReadAhead | undefined;
  try {
    const lane = new LaneWriter(task.lane, (length, kind) => port.postMessage({ length, kind } satisfies Filled));
    const opened = lane.reading(() => OpenFile.openSync(path));
    file = opened;
    const { device, inode } = opened.facts();
    if (device !== task.device || inode !== task.inode) return { kind: 'exchanged' };
    const reads = new ReadAhead({
      now: (into, length, position) => lane.reading(() => opened.read(into, length, position)),
      later: (into, length, position) => opened.readLater(into, length, position),
      wait: (count) => lane.waiting(count),
      limit: part.limit,
      until: part.cutAt,
    });
    ahead = reads;
    const readable: Readable = {
      path,
      size: part.limit,
      read: (into, length, position) => reads.read(into, length, position),
      readBytes: (into, position) => lane.reading(() => opened.read(into, into.length, position)),
    };
    const facts = await use(readable, window, lane);
    lane.flush();
    return { kind: 'facts', facts, slots: lane.handedOver };
  } catch (error) {
    if (error instanceof LaneCancelled) return { kind: 'cancelled' };
    if (!(error instanceof IoFault)) throw error;
    const { operation, code, detail, position } = error;
    // A pack renames: for an instant nothing is at the path, or a handle is stale. Whoever opens it afresh waits for it.
    if (operation === 'open' && TRANSIENT.has(code)) return { kind: 'exchanged' };
    return { kind: 'fault', operation, path: error.path, code, detail, position };
  } finally {
    await ahead?.settle();
    file?.closeQuietly();
    port.close();
  }
}
